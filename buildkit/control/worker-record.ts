import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { Draft, Platform, WorkerRecord } from '#buildkit/messages'
import { hostPlatform } from '#core'

/** Clients ask for these numbers, not for ours. */
const BUILDKIT = { package: 'github.com/moby/buildkit', version: 'v0.32.2' } as const

/** What a client is told of who builds. */
export function workerRecord(root: string, version: string): Draft<WorkerRecord> {
  const { os, architecture, variant } = hostPlatform()
  const platform: Draft<Platform> = {
    ...{ OS: os, Architecture: architecture },
    ...(variant === undefined ? {} : { Variant: variant }),
  }
  return {
    ID: createHash('sha256').update(`${hostname()}\0${root}`).digest('hex').slice(0, 25),
    Labels: new Map([
      ['org.mobyproject.buildkit.worker.executor', 'tsbuild'],
      ['org.mobyproject.buildkit.worker.hostname', hostname()],
      ['org.mobyproject.buildkit.worker.snapshotter', 'tsbuild'],
      ['tsbuild.version', version],
    ]),
    platforms: [platform],
    BuildkitVersion: buildkitVersion(),
  }
}

/** Whose interface is served. */
export function buildkitVersion(): WorkerRecord['BuildkitVersion'] & {} {
  return { ...BUILDKIT, revision: '', dockerfileVersion: '1.26.0' }
}
