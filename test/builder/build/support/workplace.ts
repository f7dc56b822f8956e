import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type BuildEvent, type BuildOptions, type BuildResult, build } from '#builder'
import { MemoryRegistry, type MemoryRegistryOptions } from '../../../support/registry/index.ts'

export interface Built extends BuildResult {
  readonly events: readonly BuildEvent[]
}

/** A context, a store and a registry, of one test. */
export class Workplace implements AsyncDisposable {
  readonly registry: MemoryRegistry
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tsbuild-build-'))

  private constructor(registry: MemoryRegistry) {
    this.registry = registry
    mkdirSync(this.path('context'))
  }

  static async open(options: MemoryRegistryOptions = {}): Promise<Workplace> {
    return new Workplace(await MemoryRegistry.start(options))
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Writes files of the context. */
  put(files: Readonly<Record<string, string | Buffer>>): void {
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.path('context'), name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
  }

  /** `name` in this workplace's registry. */
  at(name: string): string {
    return `${this.registry.host}/${name}`
  }

  async build(
    dockerfile: string | readonly string[],
    options: Partial<BuildOptions> = {},
  ): Promise<Built> {
    const events: BuildEvent[] = []
    const result = await build({
      context: this.path('context'),
      root: this.path('store'),
      dockerfile: typeof dockerfile === 'string' ? dockerfile : dockerfile.join('\n'),
      onEvent: (event) => void events.push(event),
      ...options,
    })
    return { ...result, events }
  }

  /** The requests since the last call. */
  takeLog(): readonly string[] {
    const log = this.registry.log
    this.registry.requests.length = 0
    return log
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Names of the vertices that ended in one way. */
export function namesOf(events: readonly BuildEvent[], end: BuildEvent['type']): readonly string[] {
  const names = new Map(
    events.flatMap((event) => (event.type === 'started' ? [[event.vertex, event.name]] : [])),
  )
  return events.flatMap((event) =>
    event.type === end && 'vertex' in event ? [names.get(event.vertex) ?? event.vertex] : [],
  )
}
