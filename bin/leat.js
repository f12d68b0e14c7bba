#!/usr/bin/env node
// Old syntax on purpose, here and in package.json beside it (CommonJS): whatever Node this is must get as far as
// saying that it is too old.
"use strict";
var version = process.versions.node.split(".");
var major = Number(version[0]);
var minor = Number(version[1]);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    "leat needs Node 22.19 or newer; this is Node " +
      process.versions.node +
      ". Install a newer one: https://nodejs.org",
  );
  process.exit(1);
} else {
  require("./start.js");
}
