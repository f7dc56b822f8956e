import { existsSync } from 'node:fs'
import { directoryTree } from '#builder/tree'
import {
  type FileStat,
  type FileType,
  joinName,
  type Name,
  nameOf,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'
import type { IgnoreRule } from '#parser'
import { parseContextLocation } from './context-location.ts'
import { locateDockerfile } from './dockerfile-source.ts'
import { type IgnoreFile, readIgnoreFile } from './ignore-file.ts'

/** Which context is listed. */
export interface ContextOptions {
  /** A folder. */
  readonly context: string
  /** Path of the Dockerfile, whose own ignore file wins; default: `Dockerfile` in the context. */
  readonly file?: string
  /** The Dockerfile comes from elsewhere, e.g. from standard input, and has no ignore file. */
  readonly dockerfile?: string
  /** The local store, which is not part of the context even where it lies in it. */
  readonly root?: string | undefined
}

/** A file, folder or link that a build can read. */
export interface ContextEntry {
  /** Relative to the context, with U+FFFD where a name is not UTF-8. */
  readonly path: string
  readonly type: FileType
  /** Bytes; 0 unless a regular file. */
  readonly size: number
  /** The exception that includes it; for a folder that is here for what is in it, what ignores it. */
  readonly rule: IgnoreRule | undefined
}

/** Whether a build can read a path, and why. */
export interface ContextVerdict {
  readonly path: string
  /** `undefined` when there is nothing at `path`; the rules answer all the same. */
  readonly type: FileType | undefined
  /**
   * `included`; `parent` for an ignored folder that is there for what an exception includes in it;
   * `ignored`; `store`, the local one, for what is never part of a context.
   */
  readonly verdict: 'included' | 'parent' | 'ignored' | 'store'
  /** The rules that match the path or a parent, in order: the last one decides. */
  readonly rules: readonly IgnoreRule[]
}

/** What a build context holds. No file's content is read. Close it with `using`. */
export class ContextListing implements Disposable {
  readonly #tree: Tree
  /** With what is never part of a context. */
  readonly #folder: Tree
  readonly #ignore: IgnoreFile | undefined
  readonly #decided = new Map<IgnoreRule, number>()

  /** Use `listContext`. */
  constructor(
    trees: { readonly context: Tree; readonly folder: Tree },
    ignore: IgnoreFile | undefined,
  ) {
    this.#tree = trees.context
    this.#folder = trees.folder
    this.#ignore = ignore
  }

  /** The ignore file that counts, as a message would name it. */
  get ignoreFile(): string | undefined {
    return this.#ignore?.name
  }

  /** Each rule of the ignore file with how many of the paths that were walked it decided on. */
  get rules(): readonly (readonly [IgnoreRule, number])[] {
    const rules = this.#ignore?.rules.rules ?? []
    return rules.map((rule) => [rule, this.#decided.get(rule) ?? 0] as const)
  }

  /**
   * Everything that a build can read, a folder before what is in it, names in byte order.
   * @throws {TsbuildError} PERMISSION_DENIED, IO_FAILED
   */
  *entries(): Generator<ContextEntry> {
    this.#decided.clear()
    yield* this.#walk('' as Name)
  }

  /** @throws {TsbuildError} USAGE for a path that leads out of the context */
  explain(path: string): ContextVerdict {
    const clean = cleanRelative(path)
    if (clean === '') return { path: '.', type: 'directory', verdict: 'included', rules: [] }
    const name = nameOf(clean)
    const stat = this.#folder.lstat(name)
    const rules = this.#ignore?.rules.matchingRules(clean) ?? []
    const verdict = this.#verdict(name, stat, rules.at(-1))
    return { path: clean, type: stat?.type, verdict, rules }
  }

  [Symbol.dispose](): void {
    this.#tree.close()
    this.#folder.close()
  }

  #verdict(
    path: Name,
    stat: FileStat | undefined,
    rule: IgnoreRule | undefined,
  ): ContextVerdict['verdict'] {
    if (stat !== undefined && this.#tree.lstat(path) === undefined) return 'store'
    if (rule?.isException !== false) return 'included'
    return stat?.type === 'directory' && this.#holdsIncluded(path) ? 'parent' : 'ignored'
  }

  #holdsIncluded(path: Name): boolean {
    if (this.#ignore?.rules.mayContainIncluded(textOfName(path)) !== true) return false
    return this.#walk(path).next().done !== true
  }

  /** Keeps the directories on the way in a list: a context may be deeper than the call stack. */
  *#walk(directory: Name): Generator<ContextEntry> {
    const open = (path: Name, entry: ContextEntry | undefined) => {
      return { path, entry, names: this.#tree.readdir(path).values() }
    }
    /** Ignored folders on the way, shown once something in them is. */
    const pending: ContextEntry[] = []
    const stack = [open(directory, undefined)]
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const next = last.names.next()
      if (next.done) {
        stack.pop()
        if (pending.at(-1) === last.entry) pending.pop()
        continue
      }
      const path = joinName(last.path, next.value)
      const found = this.#look(path)
      if (found === undefined) continue
      const { entry, isIgnored } = found
      if (!isIgnored) {
        yield* pending.splice(0)
        yield entry
      } else if (entry.type === 'directory') pending.push(entry)
      if (entry.type === 'directory') stack.push(open(path, entry))
    }
  }

  /** `undefined` for what a build does not see, and for an ignored folder that holds nothing. */
  #look(path: Name): { readonly entry: ContextEntry; readonly isIgnored: boolean } | undefined {
    const text = textOfName(path)
    const rule = this.#ignore?.rules.decidingRule(text)
    if (rule !== undefined) this.#decided.set(rule, (this.#decided.get(rule) ?? 0) + 1)
    const isIgnored = rule?.isException === false
    if (isIgnored && this.#ignore?.rules.mayContainIncluded(text) === false) return undefined
    const stat = this.#tree.lstat(path)
    if (stat === undefined) return undefined
    return { entry: { path: text, type: stat.type, size: stat.size, rule }, isIgnored }
  }
}

/**
 * Opens what the context of a build holds.
 * @throws {TsbuildError} CONTEXT_INVALID when there is no such folder, no such Dockerfile, or when the
 * ignore file cannot be used; UNSUPPORTED for what is not a folder
 */
export function listContext(options: ContextOptions): ContextListing {
  const context = folderOf(options.context)
  const { file, dockerfile } = options
  if (file !== undefined && dockerfile === undefined && !existsSync(file)) {
    throw new TsbuildError(`failed to read dockerfile: open ${file}: no such file or directory`, {
      code: 'CONTEXT_INVALID',
      hint: 'name the Dockerfile with -f, or leave it out',
    })
  }
  const path = dockerfile === undefined ? locateDockerfile(context, file) : undefined
  const ignore = readIgnoreFile(context, path)
  const folder = directoryTree(context)
  try {
    const trees = { folder, context: directoryTree(context, { leftOut: options.root }) }
    return new ContextListing(trees, ignore)
  } catch (cause) {
    folder.close()
    throw cause
  }
}

function folderOf(context: string): string {
  const source = parseContextLocation(context)
  if (source.kind === 'folder') return source.path
  throw new TsbuildError(`only folders can be listed: ${context}`, {
    code: 'UNSUPPORTED',
    hint: 'no ignore file counts for other contexts: all of it can be copied',
  })
}

function cleanRelative(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) {
      throw new TsbuildError(`${path} is outside the context`, {
        code: 'USAGE',
        hint: 'paths are taken from the context, not from the current folder',
      })
    }
  }
  return parts.join('/')
}
