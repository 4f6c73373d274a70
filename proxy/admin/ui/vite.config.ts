import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

// Every file in src/pages is a page's script, and its name is that of the file served.
// Names have no hashes: the server sends an Etag, and the committed files stay
// comparable from build to build.
const pages = readdirSync(new URL("src/pages", import.meta.url))
  .filter((f) => f.endsWith(".ts"))
  .sort();

export default defineConfig({
  base: "./",
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name].js" } } },
  build: {
    outDir: "../files",
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    cssCodeSplit: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((f) => [f.slice(0, -3), `src/pages/${f}`])),
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) => (asset.names.some((n) => n.endsWith(".css")) ? "admin.css" : "[name][extname]"),
        codeSplitting: {
          groups: [
            { name: "uplot", test: /node_modules\/uplot\/.*\.js$/ },
            { name: "common", test: /src\/lib\// },
          ],
        },
      },
    },
  },
});
