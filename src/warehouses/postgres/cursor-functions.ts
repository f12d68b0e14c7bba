/**
 * Functions of leat's schema with which views read cursors: the same number line as `model/cursor.ts`. They never fail:
 * a view that fails for one row shows none.
 */
import { quoteName } from "./sql-text.ts";

const isoPattern =
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})" +
  "(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?[[:space:]]?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$";

/** Statements that make the functions. Each sets no search path: it names nothing that is not built in or in `schema`. */
export function functionsSql(schema: string): readonly string[] {
  const of = (name: string) => `${quoteName(schema)}.${name}`;
  return [
    // A zone's offset at an instant, µs.
    `CREATE OR REPLACE FUNCTION ${of("_leat_offset_us")}(us bigint, zone text) RETURNS bigint
     LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $leat$
       SELECT (extract(epoch FROM timezone(zone, to_timestamp(floor(us / 1000000.0)::double precision)))
               - floor(us / 1000000.0))::bigint * 1000000
     $leat$`,
    // A wall time as an instant: of two possible ones the earlier, as extract compares them.
    `CREATE OR REPLACE FUNCTION ${of("_leat_instant_us")}(wall bigint, zone text) RETURNS bigint
     LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $leat$
     DECLARE
       before bigint := ${of("_leat_offset_us")}(wall - 86400000000, zone);
       after bigint := ${of("_leat_offset_us")}(wall + 86400000000, zone);
       fits_before boolean;
       fits_after boolean;
     BEGIN
       IF before = after THEN RETURN wall - before; END IF;
       fits_before := ${of("_leat_offset_us")}(wall - before, zone) = before;
       fits_after := ${of("_leat_offset_us")}(wall - after, zone) = after;
       IF fits_before AND NOT fits_after THEN RETURN wall - before; END IF;
       IF fits_after AND NOT fits_before THEN RETURN wall - after; END IF;
       RETURN wall - greatest(before, after);
     END $leat$`,
    `CREATE OR REPLACE FUNCTION ${of("_leat_iso_us")}(value text, zone text) RETURNS bigint
     LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $leat$
     DECLARE
       part text[] := regexp_match(value, '${isoPattern}');
       y integer; m integer; d integer; h integer; mi integer; s integer;
       days bigint; wall bigint; away integer;
     BEGIN
       IF part IS NULL THEN RETURN NULL; END IF;
       y := part[1]; m := part[2]; d := part[3];
       h := coalesce(part[4], '0'); mi := coalesce(part[5], '0'); s := coalesce(part[6], '0');
       IF m < 1 OR m > 12 OR d < 1 OR h > 24 OR mi > 59 OR s > 60 THEN RETURN NULL; END IF;
       IF d > (CASE WHEN m IN (4, 6, 9, 11) THEN 30 WHEN m <> 2 THEN 31
                   WHEN y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0) THEN 29 ELSE 28 END) THEN RETURN NULL; END IF;
       -- Days since 1970 in the calendar that was always Gregorian, with years that begin in March.
       IF m <= 2 THEN y := y - 1; m := m + 12; END IF;
       days := 365 * y + floor(y / 4.0) - floor(y / 100.0) + floor(y / 400.0) + (153 * (m - 3) + 2) / 5 + d - 719469;
       wall := ((days * 24 + h) * 60 + mi) * 60 + s;
       wall := wall * 1000000 + rpad(left(coalesce(part[7], ''), 6), 6, '0')::bigint;
       IF part[8] IS NULL THEN
         IF zone = 'UTC' THEN RETURN wall; END IF;
         RETURN ${of("_leat_instant_us")}(wall, zone);
       END IF;
       IF upper(part[8]) = 'Z' THEN RETURN wall; END IF;
       h := substr(part[8], 2, 2);
       mi := coalesce(nullif(replace(substr(part[8], 4), ':', ''), ''), '0');
       IF h > 23 OR mi > 59 THEN RETURN NULL; END IF;
       away := h * 60 + mi;
       RETURN wall - CASE WHEN part[8] LIKE '-%' THEN -away ELSE away END * 60000000::bigint;
     END $leat$`,
    // A double as the number that its shortest text says; the cast of the engine keeps 15 digits.
    `CREATE OR REPLACE FUNCTION ${of("_leat_exact")}(value double precision) RETURNS numeric
     LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET extra_float_digits = 1 AS $leat$
       SELECT CASE WHEN abs(value) < 'infinity'::double precision THEN value::text::numeric END
     $leat$`,
    // What is at a path of JSON that a text may hold.
    `CREATE OR REPLACE FUNCTION ${of("_leat_path")}(value text, path text[]) RETURNS json
     LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $leat$
     BEGIN
       RETURN value::json #> path;
     EXCEPTION WHEN OTHERS THEN
       RETURN NULL;
     END $leat$`,
    // µs since the epoch as a timestamp; days apart, since an interval is multiplied through a double.
    `CREATE OR REPLACE FUNCTION ${of("_leat_time")}(us bigint) RETURNS timestamptz
     LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $leat$
       SELECT timezone('UTC', timestamp '1970-01-01' + (us / 86400000000) * interval '1 day'
                              + (us % 86400000000) * interval '1 microsecond')
     $leat$`,
  ];
}
