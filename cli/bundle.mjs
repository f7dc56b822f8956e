// Makes what is published of what is compiled: the program, the library and the workers as a few CommonJS files,
// since hundreds of small modules take longer to find than to run, and the library's types.
// See docs/adr/0024-commonjs-chunks.md.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import manifest from '../package.json' with { type: 'json' }

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const bundle = join(dist, 'bundle')

/** What package.json exports: in one go, so that an error of one entry is an instance of another's class. */
const LIBRARY = ['builder', 'parser', 'graph-view', 'registry-client'].map((area) => ({
  code: { [area]: join(dist, area, 'index.js') },
  types: { [area]: join(dist, area, 'index.d.ts') },
}))

/** Workers are entries beside the code that starts them. */
const WORKERS = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^(?!test|bench|bundle).*worker\.js$/.test(path))
  .map((path) => ({ [basename(path, '.js')]: join(dist, path) }))

/** Dependencies are installed beside the bundle; what is needed for development only is a part of it. */
const DEPENDENCIES = Object.keys(manifest.dependencies)

/** Whether an import stays one: of a dependency or of a part of it. */
function isExternal(id) {
  return DEPENDENCIES.some((name) => id === name || id.startsWith(`${name}/`))
}

/** What most commands need lies in one file: a file more takes longer to find than the code in it to load. */
const COMMON = { name: 'common', minShareCount: 10 }

/** What `parse` and its kin need beside that, in one file: editors run them at every key. */
const DOCKERFILE = {
  name: 'dockerfile',
  test: (id) =>
    ['/cli/dockerfile/dockerfile-input.', '/cli/dockerfile/run-parse.', '/parser/print/'].some(
      (part) => id.includes(part),
    ),
}

/**
 * @param {Readonly<Record<string, string>>} input entry modules by the names of their files
 * @param {string} chunks names of the files that entries share
 */
async function pack(input, chunks = '[name].js') {
  await using packed = await rolldown({
    input,
    platform: 'node',
    external: isExternal,
    // What an entry needs itself lies in its own file, also when other files need it.
    preserveEntrySignatures: 'allow-extension',
  })
  await packed.write({
    dir: bundle,
    format: 'cjs',
    entryFileNames: '[name].js',
    chunkFileNames: chunks,
    codeSplitting: { groups: [COMMON, DOCKERFILE] },
    dynamicImportInCjs: false,
    // Names of functions and classes stay, for stack traces and for `Error.name`.
    minify: { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: true } },
    sourcemap: true,
  })
}

/** Packs the declarations that `entries` export into files of the same names. */
async function packTypes(input) {
  await using packed = await rolldown({
    input,
    platform: 'node',
    external: (id) => id.startsWith('node:') || isExternal(id),
    plugins: [dts({ dtsInput: true, oxc: true })],
  })
  const { output } = await packed.generate({ format: 'es', chunkFileNames: 'types-[name].ts' })
  // Code that only namespaces of values would need comes along.
  for (const { fileName, code } of output) {
    if (fileName.endsWith('.d.ts')) writeFileSync(join(bundle, fileName), code)
  }
}

rmSync(bundle, { recursive: true, force: true })
// The program for itself: with the library's entries it would be split into more files, and load more of them.
await pack({ main: join(dist, 'cli', 'main.js') }, 'program-[name].js')
await pack(Object.assign({}, ...LIBRARY.map(({ code }) => code)), 'library-[name].js')
await packTypes(Object.assign({}, ...LIBRARY.map(({ types }) => types)))
// Each for itself: what is shared with the main thread would be more than half of what a thread reads.
for (const worker of WORKERS) await pack(worker)
// This manifest also ends the reach of `imports` of the published one, whose files are not there.
writeFileSync(join(bundle, 'package.json'), '{ "type": "commonjs" }\n')
