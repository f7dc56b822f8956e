// Makes what is published of what is compiled: the program, the library and the workers as a few CommonJS files,
// since hundreds of small modules take longer to find than to run, and the library's types.
// See docs/adr/0024-commonjs-chunks.md.
import { createHash } from 'node:crypto'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'
import manifest from '../package.json' with { type: 'json' }
import { joinChunks } from './join-chunks.mjs'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const bundle = join(dist, 'bundle')

/** What package.json exports: in one go, so that an error of one entry is an instance of another's class. */
const LIBRARY = ['builder', 'parser', 'graph-view', 'registry-client'].map((area) => ({
  code: { [area]: join(dist, area, 'index.js') },
  types: { [area]: join(dist, area, 'index.d.ts') },
}))

/** Workers are entries beside the code that starts them. */
const WORKERS = Object.fromEntries(
  readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^(?!test|bench|bundle).*worker\.js$/.test(path))
    .map((path) => [basename(path, '.js'), join(dist, path)]),
)

/** Dependencies are installed beside the bundle; what is needed for development only is a part of it. */
const DEPENDENCIES = Object.keys(manifest.dependencies)

/** Whether an import stays one: of a dependency or of a part of it. */
function isExternal(id) {
  return DEPENDENCIES.some((name) => id === name || id.startsWith(`${name}/`))
}

/**
 * Parts of Node that every start of Node loads. All others are loaded by their first use: an import would load
 * them as soon as something of the importing module is used.
 */
const EARLY_PARTS = /^node:(?:buffer|events|fs|module|path|process|url|util)$/

/** Puts an object with a getter for everything that a part of Node exports in the place of the part. */
const LATE_IMPORTS = {
  name: 'late-imports',
  resolveId(source, _importer, { kind }) {
    const isLate = kind === 'import-statement' && isBuiltin(source) && !EARLY_PARTS.test(source)
    return isLate ? LATE + source : undefined
  },
  load(id) {
    if (!id.startsWith(LATE)) return undefined
    const part = id.slice(LATE.length)
    const names = JSON.stringify(Object.keys(process.getBuiltinModule(part)))
    return `let part
for (const name of ${names}) {
  Object.defineProperty(exports, name, { get: () => (part ??= require('${part}'))[name] })
}`
  },
}
const LATE = '\0late:'

/** What most entries need lies in one file: a file more takes longer to find than the code in it to load. */
const COMMON = { name: 'common', minShareCount: 10 }

/** How files are made of modules, the library's and the programs'. */
const INPUT = {
  platform: 'node',
  transform: { define: { BUNDLED_VERSION: JSON.stringify(manifest.version) } },
  external: isExternal,
  // What an entry needs itself lies in its own file, also when other files need it.
  preserveEntrySignatures: 'allow-extension',
}
const OUTPUT = {
  format: 'cjs',
  dynamicImportInCjs: false,
  // Names of functions and classes stay, for stack traces and for `Error.name`.
  minify: { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: true } },
  sourcemap: true,
}

/** Packs entry modules, by the names of their files, and what they share. */
async function packLibrary(input) {
  await using packed = await rolldown({ ...INPUT, input })
  await packed.write({
    ...OUTPUT,
    dir: bundle,
    entryFileNames: '[name].js',
    chunkFileNames: 'library-[name].js',
    codeSplitting: { groups: [COMMON] },
  })
}

/**
 * Packs a program, whose entry is `NAME.code.js`.
 * @returns the text of all its files
 */
async function packProgram(name, path) {
  await using packed = await rolldown({
    ...INPUT,
    input: { [name]: path },
    plugins: [LATE_IMPORTS],
  })
  const { output } = await packed.generate({
    ...OUTPUT,
    dir: bundle,
    sourcemap: 'hidden',
    entryFileNames: '[name]',
    chunkFileNames: '[name]',
  })
  const files = joinChunks(name, output)
  for (const { file, code, map } of files) {
    writeFileSync(join(bundle, file), `${code}\n//# sourceMappingURL=${file}.map\n`)
    writeFileSync(join(bundle, `${file}.map`), JSON.stringify(map))
  }
  return files.map(({ code }) => code).join('')
}

/** Packs what loads a program, in the place of the program: `cli/start`. */
async function packLoader(name, { call, hash }) {
  const input = join(dist, 'cli/start/load-code.js')
  await using packed = await rolldown({ ...INPUT, input })
  const footer = `module.exports=${call}(__filename,${JSON.stringify(hash)})`
  await packed.write({ ...OUTPUT, file: join(bundle, `${name}.js`), footer, sourcemap: false })
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
await packLibrary(Object.assign({}, ...LIBRARY.map(({ code }) => code)))
await packTypes(Object.assign({}, ...LIBRARY.map(({ types }) => types)))
// Each for itself: what is shared with the main thread would be more than half of what a thread reads.
const programs = { main: join(dist, 'cli', 'main.js'), ...WORKERS }
const hash = createHash('sha256')
for (const [name, path] of Object.entries(programs)) hash.update(await packProgram(name, path))
const version = hash.digest('hex').slice(0, 16)
await packLoader('main', { call: 'loadProgram', hash: version })
for (const name of Object.keys(WORKERS))
  await packLoader(name, { call: 'loadThread', hash: version })
// This manifest also ends the reach of `imports` of the published one, whose files are not there.
writeFileSync(join(bundle, 'package.json'), '{ "type": "commonjs" }\n')
