import { join } from "node:path";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type UserConfig } from "vite";
import { precompress } from "./build/precompress.ts";

/** Where the control API answers while the console is worked on: `leat up`'s usual port. */
const apiInDevelopment = "http://127.0.0.1:4004";

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  // Whoever serves the files says where they are, in the `<base>` of index.html: one build fits every path.
  base: "./",
  // The engine for SQL imports it to read results, which are read as CSV here: 200 kB for nothing.
  resolve: { alias: { "apache-arrow": join(import.meta.dirname, "build/no-arrow.js") } },
  plugins: [react(), tailwindcss(), precompress()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // The content security policy lets no `data:` in.
    modulePreload: { polyfill: false }, // An inline script, and every browser of this target knows it.
    sourcemap: false,
    manifest: true, // Budgets are checked by it.
  },
  server: { host: "127.0.0.1", proxy: { "/api": apiInDevelopment } },
});

export default config;
