import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { run, type TemporaryDirectory } from '../../support/peers/index.ts'
import type { MemoryRegistry } from '../../support/registry/index.ts'
import { HERE } from '../support/tsbuild.ts'

/** What one run of tsbuild used, by kind; each list is sorted. */
export interface Used {
  /** Public parts of Node that its start does not load. */
  readonly 'built-in modules': readonly string[]
  /** Of the bundle, by the program and its threads. */
  readonly files: readonly string[]
  /** Files and folders that were written through to the disk. */
  readonly syncs: readonly string[]
  /** To the registry of the base images. */
  readonly requests: readonly string[]
}

/** Writes what the main thread has loaded beyond the start of Node; threads have no environment. */
const PRELOAD = `
const known = new Set(process.moduleLoadList)
const file = process.env.BUILT_INS
if (file !== undefined) process.once('exit', () => {
  const loaded = process.moduleLoadList.filter((name) => !known.has(name))
  require('fs').writeFileSync(file, loaded.join('\\n'))
})
`

/** Where a counted run has its files, its store, and its base images. */
export interface CountedPlace {
  readonly directory: TemporaryDirectory
  readonly root: string
  readonly registry: MemoryRegistry
}

/** Runs tsbuild to its end, which must be a success, under strace(1). */
export async function runCounted(
  args: readonly string[],
  { directory, root, registry }: CountedPlace,
): Promise<Used> {
  const [preload = '', trace = '', builtIns = ''] = ['preload.cjs', 'trace', 'built-ins'].map(
    (name) => directory.file(name),
  )
  writeFileSync(preload, PRELOAD)
  const before = registry.requests.length
  const calls = 'trace=openat,fsync,fdatasync,syncfs,sync_file_range'
  const words = ['-f', '-qq', '--seccomp-bpf', '-y', '-s', '999', '-e', calls, '-o', trace]
  await run('strace', [...words, ...HERE.command, ...args], {
    cwd: directory.path,
    env: {
      HOME: directory.path,
      TSBUILD_ROOT: root,
      NODE_OPTIONS: `--require=${preload}`,
      BUILT_INS: builtIns,
      BUILDKIT_PROGRESS: 'plain',
    },
  })
  const lines = readFileSync(trace, 'utf8').split('\n')
  return {
    'built-in modules': found(
      readFileSync(builtIns, 'utf8').split('\n'),
      /^NativeModule (?!internal)(\S+)$/,
    ),
    files: found(lines, /openat\(.*"[^"]*\/dist\/bundle\/([^"/]+\.js)"/),
    syncs: lines
      .flatMap((line) => {
        const [, call, path = ''] =
          /(fsync|fdatasync|syncfs|sync_file_range)\(\d+<(\/[^>]*)>/.exec(line) ?? []
        return call === undefined ? [] : [`${call} ${nameOf(path)}`]
      })
      .toSorted(),
    requests: registry.requests
      .slice(before)
      .map(({ method, url }) => `${method} ${url.replace(/sha256:[0-9a-f]{64}/, 'DIGEST')}`)
      .toSorted(),
  }
}

function found(lines: readonly string[], pattern: RegExp): readonly string[] {
  return [...new Set(lines.flatMap((line) => pattern.exec(line)?.[1] ?? []))].toSorted()
}

/** Without what differs from run to run: digests, and numbers of drafts. */
function nameOf(path: string): string {
  return basename(path)
    .replace(/^[0-9a-f]{64}$/, 'BLOB')
    .replace(/^\d+$/, 'DRAFT')
}
