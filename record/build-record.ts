import type { ExecVertex } from '#builder/plan'
import type { BuildFolders } from '#cache'
import { isJsonObject, type Json } from '#core'

/** What a build is, as it is remembered. */
export interface BuildFacts {
  /** The context: the absolute path of a folder, or an address without credentials. */
  readonly context: string
  /** The Dockerfile: an absolute path, or what messages call it. */
  readonly dockerfile: string
  readonly target: string | undefined
  readonly tags: readonly string[]
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** How a build ended; `lost`: its process has ended without saying so. */
export type BuildOutcome = 'done' | 'failed' | 'cancelled' | 'running' | 'lost'

/** A build that executed a step or printed something. */
export interface BuildRecord extends BuildFacts {
  readonly id: string
  readonly outcome: BuildOutcome
  /** How long it took; absent unless it has ended. */
  readonly milliseconds?: number
  /** In the order of the plan. */
  readonly steps: readonly RecordedStep[]
}

/** A step of the Dockerfile in a build. */
export interface RecordedStep {
  /** Unique in the build: a word of letters, digits and dashes. */
  readonly id: string
  /** As progress shows it. */
  readonly name: string
  readonly op: string
  readonly stage: string
  readonly lines: readonly [first: number, last: number]
  readonly platform: string
  readonly end?: 'done' | 'cached' | 'failed' | 'cancelled'
  readonly milliseconds?: number
  /** Of a RUN that was executed. */
  readonly sandbox?: RecordedSandbox
}

/** What the process of a RUN was started in: enough to start another one in the same, but for secrets. */
export interface RecordedSandbox {
  /** Proxies are not kept: they may have passwords in them. */
  readonly process: Omit<ExecVertex['process'], 'proxyEnv'>
  readonly mounts: ExecVertex['mounts']
  readonly platform: ExecVertex['platform']
  /** Directories of the layers below, topmost first, from the root of the store. */
  readonly lower: readonly string[]
  /** For each source of the mounts, what it stands for; null is the empty stage. */
  readonly sources: readonly (RecordedSource | null)[]
}

/** What a mount of a step shows a part of. */
export interface RecordedSource {
  readonly key: string
  /** Of directories, topmost first, from the root of the store. */
  readonly lower: readonly string[]
}

/** The form of stored records; those of another form are not read. */
const VERSION = 1

/** A record as it is stored. */
export type BuildDocument = Omit<BuildRecord, 'id'>

/** A record as JSON. */
export function documentOf(record: BuildDocument): Json {
  return { version: VERSION, ...(record as unknown as { readonly [name: string]: Json }) }
}

/** The builds that a store remembers, the latest first. */
export function readBuilds(builds: Pick<BuildFolders, 'all'>): readonly BuildRecord[] {
  const records = builds.all().flatMap(({ id, isRunning, document }) => {
    if (!isJsonObject(document) || document.version !== VERSION) return []
    const { version: _, ...record } = document as unknown as BuildDocument & { version: number }
    const isOpen = record.outcome === 'running'
    return [{ ...record, id, outcome: isOpen && !isRunning ? 'lost' : record.outcome } as const]
  })
  return records.toSorted((a, b) => b.startedAt - a.startedAt)
}
