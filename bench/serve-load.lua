-- Requests of the benchmark: `wrk … -s serve-load.lua URL -- PATTERN AREAS`. Each asks for another year and area.
local pattern, areas

function init(args)
  pattern = args[1]
  areas = tonumber(args[2])
  math.randomseed(20261121)
end

function request()
  if areas == nil then return wrk.format("GET", pattern) end
  local path = pattern:gsub("YEAR", 2010 + math.random(0, 9)):gsub("AREA", string.format("E%08d", math.random(1, areas)))
  return wrk.format("GET", path)
end
