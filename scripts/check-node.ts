/** Run before every npm script: npm's own Node may be older than leat needs, and would fail oddly. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `leat needs Node 22.18 or newer, this is ${process.version}. Run \`npm ci\` (with install scripts on).`,
  );
  process.exit(1);
}
