import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, type BuildResult, build } from '#builder'
import type { StatusResponse } from '#buildkit/messages'
import {
  contextTransfer,
  definitionTransfer,
  ignoreFileTransfer,
  reportTransfer,
  StatusFeed,
  type TransferVertex,
} from '#buildkit/status'

export interface FedBuildOptions extends Partial<BuildOptions> {
  readonly dockerfile: string
  /** Of the context. */
  readonly files?: Readonly<Record<string, string>>
  /** Default: the one of the workplace. */
  readonly feed?: StatusFeed
}

/** Builds as a server does that gets everything from a client, in a temporary folder. */
export class FedBuilds implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'tsbuild-status-'))
  #count = 0

  /** What happened, whether or not the build has failed. */
  async run(options: FedBuildOptions): Promise<Ended> {
    const feed = options.feed ?? new StatusFeed({ ref: `build ${this.#count}` })
    let failure: unknown
    try {
      await this.build(feed, options)
    } catch (cause) {
      failure = cause
    }
    feed.close()
    const responses: StatusResponse[] = []
    for await (const one of feed.read()) responses.push(one)
    return { responses, failure, failedVertex: feed.failedVertex }
  }

  /** Feeds one build; the feed stays open. */
  async build(feed: StatusFeed, options: FedBuildOptions): Promise<BuildResult> {
    const { dockerfile, files = {}, feed: _, ...more } = options
    const context = join(this.folder, `context-${this.#count++}`)
    const { onEvent } = feed
    await transfer(definitionTransfer('Dockerfile'), onEvent, 29 + dockerfile.length)
    feed.setDockerfile({ filename: 'Dockerfile', text: dockerfile })
    await transfer(ignoreFileTransfer(), onEvent, 2)
    writeContext(context, files)
    if (Object.keys(files).length > 0) await transfer(contextTransfer(), onEvent, 22)
    const { platform } = more
    const listener = feed.listener({ hasPlatforms: Array.isArray(platform) && platform.length > 1 })
    return await build({
      context,
      dockerfile,
      root: join(this.folder, 'store'),
      onEvent: listener,
      ...more,
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export interface Ended {
  readonly responses: readonly StatusResponse[]
  readonly failure: unknown
  readonly failedVertex: string | undefined
}

function transfer(
  vertex: TransferVertex,
  onEvent: StatusFeed['onEvent'],
  bytes: number,
): Promise<void> {
  return reportTransfer(vertex, onEvent, async (onBytes) => onBytes(bytes))
}

function writeContext(context: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(context)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(context, name), content)
}
