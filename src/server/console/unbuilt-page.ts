/** What stands in the place of the console in a checkout where nobody has built it. */

export const unbuiltPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>leat: the console is not built</title></head>
<body>
<h1>The console is not built</h1>
<p>This is a checkout of leat. Build the console once, and load this page again:</p>
<pre><code>npm run build:ui</code></pre>
<p>Everything else works: the API is described at <a href="api/openapi.json">/api/openapi.json</a>.</p>
</body>
</html>
`;
