// Makes a few files of the many chunks of a program. A chunk is a function in its file: V8 compiles, and keeps
// of its work, only those that are called. A file more takes longer to find than the code in it to load, but the
// compiled code of a whole file is read for anything in it.
import { toAscii } from './ascii-code.mjs'

/** The files by their names, and modules that each has with all that these load at once. */
const FILES = [
  ['.code.js', /\/cli\/(?:main|commands\/help-text|reports\/package-version)\.js$|worker\.js$/],
  ['-parse.code.js', /\/cli\/(?:dockerfile\/run-parse|reports\/error-report)\.js$/],
  [
    '-build.code.js',
    /\/(?:cli\/build\/run-build|cli\/progress\/plain-progress|builder\/build\/build|http\/[\w-]+)\.js$/,
  ],
  ['-other.code.js', /./],
]

/**
 * @param {string} name of the program
 * @param {readonly object[]} output of the bundler
 * @returns the files, with the entry first: code in which all characters are ASCII, and its source map
 */
export function joinChunks(name, output) {
  const chunks = new Map(
    output.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk]] : [])),
  )
  const places = new Map()
  const place = (chunk, file) => {
    if (chunk === undefined || places.has(chunk)) return
    places.set(chunk, file)
    for (const imported of chunk.imports) place(chunks.get(imported), file)
  }
  for (const [suffix, modules] of FILES) {
    for (const chunk of chunks.values()) {
      if (chunk.moduleIds.some((id) => modules.test(id))) place(chunk, name + suffix)
    }
  }
  const files = [...new Set(places.values())]
  return files.map((file) => {
    const inFile = [...places].flatMap(([chunk, its]) => (its === file ? [chunk] : []))
    const tail = file === `${name}.code.js` ? linker(name, places) : 'module.exports = chunks'
    return { file, ...joinFile(inFile, tail) }
  })
}

function joinFile(chunks, tail) {
  const lines = ['const chunks = {']
  const sections = []
  for (const { fileName, code, map } of chunks) {
    lines.push(`${JSON.stringify(fileName)}: function (exports, require) {`)
    const ascii = toAscii(code, map)
    if (map !== null) sections.push({ offset: { line: lines.length, column: 0 }, map })
    lines.push(...ascii.split('\n'), '},')
  }
  return { code: [...lines, '}', tail].join('\n'), map: { version: 3, sections } }
}

/** Chunks name each other by their paths: the entry is `NAME`, the others lie in `chunks`. */
function linker(name, places) {
  const files = Object.fromEntries(
    [...places].map(([{ fileName }, file]) => [fileName, `./${file}`]),
  )
  return `const files = ${JSON.stringify(files)}
const loaded = {}
function load(path) {
  if (path in loaded) return loaded[path]
  const chunk = chunks[path] ?? require(files[path])[path]
  const folder = path.startsWith('chunks/') ? 'chunks/' : ''
  chunk((loaded[path] = {}), (id) => {
    const wanted = id.replace(/^\\.\\//, folder).replace(/^\\.\\.\\//, '')
    return wanted in files ? load(wanted) : require(id)
  })
  return loaded[path]
}
module.exports = load('${name}')`
}
