import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** More entries than this in one folder no longer show a plan. */
const MAX_ENTRIES = 20

/** What has no source code, or none of this project. */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'docs', 'fixtures'])

/** A file and what it imports: `specifier`, which is `path` where it is a file of this project. */
interface Import {
  readonly file: string
  readonly specifier: string
  readonly path: string | undefined
}

/** Folders by path, each with the folders that it imports and the import that shows it. */
type FolderGraph = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * What is wrong with the folders of source code below `root`, a line each: those with too many entries,
 * those that import each other, directly or through others, and imports that reach into another area
 * past its `index.ts`. Imports of types count, since they decide what can be understood without what.
 * The index of an area is exempt from the directions: it is the area's face and names its folders.
 */
export function folderFaults(root: string): readonly string[] {
  const files = sourcesIn(root, '.')
  const imports = files.flatMap((file) => importsOf(root, file))
  const directed = imports.filter(({ file }) => basename(file) !== 'index.ts')
  return [
    ...crowdedFolders(files),
    ...folderCycles(folderGraph(directed)),
    ...reachingImports(root, imports),
  ]
}

function sourcesIn(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : sourcesIn(root, path)
    }
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

function importsOf(root: string, file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s[\w\s{},*]*?'([^']+)'|\bimport\('([^']+)'\)/gm)
  return [...found].map(([, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? ''
    const path = specifier.startsWith('.') ? join(dirname(file), specifier) : undefined
    return { file, specifier, path: path && existsSync(join(root, path)) ? path : undefined }
  })
}

/** Folders count as well: a reader has to look at them, too. */
function crowdedFolders(files: readonly string[]): readonly string[] {
  const entries = new Map<string, Set<string>>()
  for (const file of files) {
    for (let path = file; path !== '.'; path = dirname(path)) {
      const folder = dirname(path)
      entries.set(folder, (entries.get(folder) ?? new Set()).add(path))
    }
  }
  return [...entries].flatMap(([folder, { size }]) =>
    size > MAX_ENTRIES ? [`${folder} has ${size} entries, more than ${MAX_ENTRIES}`] : [],
  )
}

/** An area has a `tsconfig.json`: the compiler checks which areas it may import. */
function reachingImports(root: string, imports: readonly Import[]): readonly string[] {
  const areaOf = (file: string): string => {
    let folder = dirname(file)
    while (folder !== '.' && !existsSync(join(root, folder, 'tsconfig.json'))) {
      folder = dirname(folder)
    }
    return folder
  }
  return imports.flatMap(({ file, specifier, path }) => {
    if (path === undefined || areaOf(path) === areaOf(file)) return []
    // Tests also look at single parts of an area; what makes images, guests and the executable uses their tools.
    if (/^(?:test|bench|guest|shipped)\//.test(file)) return []
    return [`${file} imports ${specifier}: import another area through its index, by #name`]
  })
}

function folderGraph(imports: readonly Import[]): FolderGraph {
  const graph = new Map<string, Map<string, string>>()
  for (const { file, specifier, path } of imports) {
    const from = dirname(file)
    const to = specifier.startsWith('#') ? specifier.slice(1) : path && dirname(path)
    if (to === undefined || to === from) continue
    const imported = graph.get(from) ?? new Map<string, string>()
    graph.set(from, imported.set(to, `${file} imports ${specifier}`))
  }
  return graph
}

/** One line for each cycle that a walk through the graph comes upon. */
function folderCycles(graph: FolderGraph): readonly string[] {
  const faults: string[] = []
  const done = new Set<string>()
  const stack: string[] = []
  const visit = (folder: string): void => {
    const at = stack.indexOf(folder)
    if (at !== -1) faults.push(describeCycle(stack.slice(at), graph))
    if (at !== -1 || done.has(folder)) return
    stack.push(folder)
    for (const imported of graph.get(folder)?.keys() ?? []) visit(imported)
    stack.pop()
    done.add(folder)
  }
  for (const folder of graph.keys()) visit(folder)
  return faults
}

function describeCycle(cycle: readonly string[], graph: FolderGraph): string {
  const imports = cycle.map((folder, index) => {
    const next = cycle[(index + 1) % cycle.length] ?? ''
    return `  ${graph.get(folder)?.get(next)}`
  })
  return [`${cycle.join(' -> ')} -> ${cycle[0]}`, ...imports].join('\n')
}
