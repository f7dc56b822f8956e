// Makes a few files of the many chunks of a program. A chunk is a function in its file: V8 compiles, and keeps
// of its work, only those that are called. A file more takes longer to find than the code in it to load, but the
// compiled code of a whole file is read for anything in it.
import { shiftMappings, toAscii } from './ascii-code.mjs'
import { decodeMappings, encodeMappings } from './source-map.mjs'

/** The files by their names, and modules that each has with all that these load at once. */
const FILES = [
  ['.code.js', /\/cli\/(?:main|commands\/help-text|reports\/package-version)\.js$|worker\.js$/],
  ['-parse.code.js', /\/cli\/(?:dockerfile\/run-parse|reports\/error-report)\.js$/],
  ['-store.code.js', /\/cli\/images\/run-(?:images|names)\.js$/],
  [
    '-build.code.js',
    /\/(?:cli\/build\/(?:run-build|builder)|cli\/progress\/plain-progress|builder\/build\/build|dist\/http\/[\w-]+)\.js$/,
  ],
  ['-steps.code.js', /\/builder\/(?:sandbox|snapshot|namespaces)\//],
  ['-engine.code.js', /\/cli\/engine\/commands\.js$/],
  // All that has modules of our own: the clients of object stores are large, and seldom used.
  ['-other.code.js', /^(?![^/]|.*(?:\/node_modules\/|\/objects\/(?:s3|azure|actions)-))/],
  ['-s3.code.js', /\/(?:s3-store\.js|@aws-sdk\/|@smithy\/)/],
  ['-azure.code.js', /./],
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
  const mappings = [[]]
  const sources = []
  const sourcesContent = []
  const names = []
  for (const { fileName, code, map } of chunks) {
    lines.push(`${JSON.stringify(fileName)}: function (exports, require) {`)
    lines.push(...toAscii(code).split('\n'), '},')
    if (map !== null) {
      mappings.push([])
      const bases = [0, sources.length, 0, 0, names.length]
      for (const line of shiftMappings(code, decodeMappings(map.mappings))) {
        mappings.push(line.map((numbers) => numbers.map((number, index) => number + bases[index])))
      }
      sources.push(...map.sources)
      sourcesContent.push(...map.sourcesContent)
      names.push(...map.names)
    }
    while (mappings.length < lines.length) mappings.push([])
  }
  const map = { version: 3, sources, sourcesContent, names, mappings: encodeMappings(mappings) }
  return { code: [...lines, '}', tail].join('\n'), map }
}

/** Chunks name each other as files that lie beside each other. */
function linker(name, places) {
  const files = Object.fromEntries(
    [...places].map(([{ fileName }, file]) => [fileName, `./${file}`]),
  )
  return `const files = ${JSON.stringify(files)}
const loaded = {}
function load(id) {
  const path = id.slice('./'.length)
  if (!(path in files)) return require(id)
  if (path in loaded) return loaded[path]
  const chunk = chunks[path] ?? require(files[path])[path]
  chunk((loaded[path] = {}), load)
  return loaded[path]
}
module.exports = load('./${name}')`
}
