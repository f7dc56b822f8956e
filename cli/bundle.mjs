// Packs the compiled program and the library into a few files: two hundred small modules take longer to find than to
// run (see docs/adr/0006-bundle.md). Workers are entries of their own, beside the code that starts them.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }

const INCLUDED = new Set(['@noble/hashes', 'chevrotain', 'p-queue', 'undici'])

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const workers = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^(?!test|bench|bundle).*worker\.js$/.test(path))
  .map((path) => [basename(path, '.js'), join(dist, path)])

// What package.json exports. All in one go, so that an error thrown by one is an instance of the class
// that another exports.
const libraries = Object.fromEntries(
  ['builder', 'parser', 'graph-view', 'registry-client'].map((area) => [
    area,
    join(dist, area, 'index.js'),
  ]),
)

/** `import { readFileSync } from 'node:fs'` */
const BUILTIN = /^import \{([^}]*)\} from '(node:[^']+)';?$/gm

/**
 * Our own modules. An import of a part of Node reads everything that part exports, and some of that
 * (`fs.promises`, `util.diff`) is loaded when it is read: a fifth of the start of a small command. That
 * modules of which nothing is used are left out is said in package.json (`sideEffects`).
 */
const ownModules = {
  name: 'own modules',
  setup(bundler) {
    bundler.onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (!path.startsWith(dist)) return undefined
      const contents = readFileSync(path, 'utf8').replace(BUILTIN, (_, names, name) => {
        return `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule('${name}');`
      })
      return { contents }
    })
  },
}

const SETTINGS = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  // These come along, since finding their files takes longer than running them. Everything else of the
  // dependencies is loaded when it is needed.
  external: Object.keys(manifest.dependencies).filter((name) => !INCLUDED.has(name)),
  // For those of them that are CommonJS.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  plugins: [ownModules],
  sourcemap: true,
  logLevel: 'warning',
}

// Chunks are named by their content: those of earlier versions would pile up.
const outdir = join(dist, 'bundle')
rmSync(outdir, { recursive: true, force: true })
await build({
  ...SETTINGS,
  entryPoints: { main: join(dist, 'cli', 'main.js'), ...libraries },
  outdir,
})
// Each for itself: what is shared with the main thread would be more than half of what a thread reads.
const programs = [['parse', join(dist, 'cli', 'parse-program.js')], ...workers]
for (const [name, path] of programs) {
  await build({ ...SETTINGS, entryPoints: { [name]: path }, outdir })
}
