// What a bundle for browsers gets in place of Heed (the condition `browser` in package.json). CommonJS, because a bundler
// accepts any import from it: an ES module without exports would fail with a message about the first missing name.
throw new Error(
  'heed runs in Node, Bun and Deno; a build for browsers does not exist yet. Import it in code that runs on the server, and in tests use the environment `node`.',
)
