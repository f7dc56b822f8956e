import assert from 'node:assert/strict'
import { chmodSync, utimesSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  busyboxBase,
  freshBusyboxBase,
  run,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { mustBuild } from './support/tsbuild.ts'

/** Asks the clock, the umask, the names of things and the time zone, in every way a step can. */
const DOCKERFILE = (base: string): string => `
FROM oci-layout://${base} AS build
WORKDIR /src/deep
COPY . .
RUN mkdir out && cp -p a sub/b out/ && date > out/now && echo now > out/now
RUN tar cf out.tar out && ls -lR out sub > listing
FROM oci-layout://${base} AS other
RUN echo other > /other && umask > /umask && echo "$TZ $LANG" > /locale && hostname > /host
FROM oci-layout://${base}
COPY --from=other /other /umask /locale /host /
COPY --from=build /src /src
COPY <<EOT /heredoc
text
EOT
RUN rm -r /home && ln -s /other /link && touch -d @1 /old && mkfifo /pipe
WORKDIR /work
CMD ["sh"]
`

describe('reproducible images', () => {
  let directory: TemporaryDirectory
  let base: string

  before(async () => {
    directory = temporaryDirectory('reproducible')
    base = await busyboxBase()
  })
  after(() => directory?.[Symbol.dispose]())

  interface Place {
    readonly name: string
    readonly flags?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
    /** The base image. */
    readonly on?: string
    /** Bits that the modes of the working copy lack. */
    readonly umask: number
    /** Seconds. */
    readonly mtime: number
  }

  /** Builds in a place of its own; gives the digest of the manifest. */
  async function built({ name, flags = [], env = {}, umask, mtime, on = base }: Place) {
    const context = writeContext(directory.file(name), {
      Dockerfile: DOCKERFILE(on),
      '.dockerignore': 'Dockerfile\n.dockerignore\n',
      a: 'A',
      'sub/b': 'B',
      'sub/run.sh': '#!/bin/sh\n',
    })
    for (const [file, mode] of [
      ['a', 0o666],
      ['sub/b', 0o666],
      ['sub/run.sh', 0o777],
      ['sub', 0o777],
      ['Dockerfile', 0o666],
    ] as const) {
      chmodSync(`${context}/${file}`, mode & ~umask)
      utimesSync(`${context}/${file}`, mtime, mtime)
    }
    const old = process.umask(umask)
    try {
      const root = directory.file(`${name}-store`)
      const outcome = await mustBuild(['--reproducible', '-t', 'r:1', ...flags, context], {
        root,
        env,
      })
      return /^digest +(sha256:\w+)$/m.exec(outcome.stderr + outcome.stdout)?.[1] ?? 'none'
    } finally {
      process.umask(old)
    }
  }

  const here: Place = { name: 'here', umask: 0o022, mtime: 1_700_000_000 }
  const there: Place = {
    name: 'some/where/else',
    flags: ['--jobs', '1'],
    env: { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
    umask: 0o077,
    mtime: 1_600_000_000,
  }

  it('are the same in another place, at another time', async () => {
    const first = await built(here)
    // Times of files have whole seconds in a layer.
    await sleep(1100)
    assert.match(first, /^sha256:/)
    assert.equal(await built(there), first)
  })

  it('are the same on a base that was made again from its packages', async () => {
    const on = await freshBusyboxBase(directory.file('base'))
    assert.equal(await built({ ...there, name: 'fresh-base', on }), await built(here))
  })

  it('take their time from SOURCE_DATE_EPOCH', async () => {
    const epoch = { SOURCE_DATE_EPOCH: '1000000000' }
    const context = (place: Place, name: string): Place => ({
      ...place,
      name,
      env: { ...place.env, ...epoch },
    })
    const first = await built(context(here, 'epoch-1'))
    assert.equal(await built(context(there, 'epoch-2')), first)
    assert.notEqual(await built(here), first)
    const { stdout } = await run('skopeo', [
      'inspect',
      '--config',
      `oci:${directory.file('epoch-1-store')}:docker.io/library/r:1`,
    ])
    const config = JSON.parse(stdout)
    assert.equal(config.created, '2001-09-09T01:46:40Z')
  })

  it('are not what a build makes by itself', async () => {
    const context = writeContext(directory.file('plain'), {
      Dockerfile: DOCKERFILE(base),
      a: 'A',
      'sub/b': 'B',
    })
    const digests = new Set<string>()
    for (const root of ['plain-1', 'plain-2']) {
      const outcome = await mustBuild([context], { root: directory.file(root) })
      digests.add(/^digest +(sha256:\w+)$/m.exec(outcome.stderr + outcome.stdout)?.[1] ?? '')
      await sleep(1100)
    }
    assert.equal(digests.size, 2)
  })
})
