import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { memoryDirectory, type TemporaryDirectory, writeLayout } from '../../support/peers/index.ts'
import {
  directory,
  file,
  hardlink,
  header,
  pax,
  symlink,
  tar,
} from '../../support/raw-tar/index.ts'
import { AnsweringProcess, folderFor, LIMITED, type Rights } from '../../support/rights/index.ts'
import { type BuildAnswer, type BuildQuestion, buildLimited } from './support/limited-build.ts'

const CHILD = fileURLToPath(new URL('./support/limited-build.js', import.meta.url))
const NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1')
const APP = { uid: 1000, gid: 1001 }

const BASE = [
  directory('etc/'),
  file('etc/passwd', 'root:x:0:0::/:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n'),
  file('etc/group', 'root:x:0:\napp:x:1001:\nothers:x:55:\n'),
  file('etc/shadow', 'secret', { mode: 0, gid: 42 }),
  directory('home/'),
  directory('home/app/', { mode: 0o500, ...APP }),
  file('home/app/su', 's', { mode: 0o6711, ...APP }),
  pax({ 'SCHILY.xattr.security.capability': NET_RAW }),
  file('home/app/ping', 'p', { mode: 0o711, ...APP }),
  hardlink('home/app/ping2', 'home/app/ping', APP),
  directory('dev/'),
  header({ name: 'dev/null', type: '3', major: 1, minor: 3, mode: 0o666 }),
  header({ name: 'dev/disk', type: '4', major: 8, minor: 0, mode: 0o660, gid: 6 }),
  directory('closed/', { mode: 0, uid: 7 }),
  file('closed/in', 'x', { mode: 0, uid: 7 }),
  directory('gone/'),
  file('gone/f', 'x', APP),
  symlink('app', 'home/app'),
]
const UPPER = [
  directory('gone/', { mode: 0o1777 }),
  file('gone/.wh..wh..opq'),
  directory('closed/', { mode: 0o2000, uid: 8 }),
  file('closed/.wh.in'),
  file('.wh.app'),
]
const ARCHIVE = [
  directory('in/', { mode: 0, ...APP }),
  file('in/file', 'x', { mode: 0o4000, uid: 5, gid: 6 }),
  header({ name: 'in/device', type: '3', major: 5, minor: 1, uid: 3 }),
  pax({ 'SCHILY.xattr.security.capability': NET_RAW }),
  file('in/able', 'x', { mode: 0o555 }),
]

/** None has a RUN step; `base` is an image. */
const DOCKERFILES: Readonly<Record<string, string>> = {
  'files of the context on an image': `
    FROM base
    COPY --chown=app:others . /home/app/
    WORKDIR /home/app/work
    COPY --chmod=4000 one /closed/zero
    ADD archive.tar /home/app/archive/
    COPY <<EOT /closed/heredoc
text
EOT
    USER app
    LABEL a=b`,
  'a whole image': `
    FROM scratch
    COPY --from=base / /
    COPY --from=base --chown=9:9 /home /copy`,
  'stages on stages': `
    FROM base AS one
    ADD --chown=app archive.tar /
    FROM one AS two
    COPY --from=base /home/app/ /two/
    FROM base
    COPY --from=two / /all/
    COPY --link --from=one /in /linked`,
}

describe('an image without RUN, with few rights', function () {
  this.timeout(120_000)
  const children = new Map<string, { readonly child: AnsweringProcess; readonly rights: Rights }>()
  let place: TemporaryDirectory
  let contexts: Readonly<Record<string, string>>

  before(async function () {
    if (process.geteuid?.() !== 0) this.skip()
    place = memoryDirectory('rights')
    chmodSync(place.path, 0o711)
    const tars = [BASE, UPPER].map((parts, index) => {
      const path = place.file(`${index}.tar`)
      writeFileSync(path, tar(...parts))
      return path
    })
    const [lowest = '', ...upper] = tars
    const config = { OnBuild: ['COPY one /on/build/'], Env: ['A=b'] }
    mkdirSync(place.file('base'), { mode: 0o755 })
    await writeLayout(place.file('base'), { tar: lowest, upper, config })
    contexts = { base: `oci-layout://${place.file('base')}:latest` }
    mkdirSync(place.file('context/sub'), { recursive: true, mode: 0o755 })
    writeFileSync(place.file('context/one'), '1')
    writeFileSync(place.file('context/sub/two'), '2')
    chmodSync(place.file('context/sub/two'), 0o4755)
    writeFileSync(place.file('context/archive.tar'), tar(...ARCHIVE))
    for (const [name, rights] of Object.entries(LIMITED)) {
      children.set(name, { child: new AnsweringProcess(CHILD, rights), rights })
    }
  })
  after(() => {
    for (const { child } of children.values()) child[Symbol.dispose]()
    place?.[Symbol.dispose]()
  })

  /** Options for one build, and where it writes. */
  function question(dockerfile: string, folder: string): BuildQuestion {
    const written = [`${folder}/oci.tar`, `${folder}/docker.tar`, `${folder}/files.tar`]
    const [oci = '', docker = '', files = ''] = written
    return {
      options: {
        context: place.file('context'),
        contexts,
        dockerfile: dockerfile.replaceAll(/^ +/gm, ''),
        reproducible: true,
        root: `${folder}/store`,
        tags: ['rights'],
        outputs: [
          { type: 'store' },
          { type: 'oci', dest: oci },
          { type: 'docker', dest: docker },
          { type: 'tar', dest: files },
          { type: 'local', dest: `${folder}/files` },
        ],
      },
      written,
    }
  }

  let count = 0
  function ask(dockerfile: string, name?: string, store?: string): Promise<BuildAnswer> {
    const { child, rights } = children.get(name ?? '') ?? { rights: { prefix: [] } }
    count += 1
    const asked = question(dockerfile, folderFor(rights, place.file(`${count}`)))
    const root = store ?? asked.options.root ?? ''
    const moved = { ...asked, options: { ...asked.options, root } }
    return child === undefined ? buildLimited(moved) : (child.ask(moved) as Promise<BuildAnswer>)
  }

  for (const [what, dockerfile] of Object.entries(DOCKERFILES)) {
    it(`is the same for all: ${what}`, async () => {
      const wanted = await ask(dockerfile)
      assert.deepEqual(wanted.warnings, [])
      assert.equal(new Set(wanted.written).size, 3)
      const asked = Array.from(children.keys(), async (name) => {
        assert.deepEqual(await ask(dockerfile, name), wanted, name)
      })
      await Promise.all(asked)
    })
  }

  it('is the same for two platforms', async () => {
    const dockerfile = `
      FROM --platform=$BUILDPLATFORM base AS one
      FROM scratch
      COPY --from=one /home /home
      ADD --chmod=600 sub /$TARGETARCH/`
    const platform = ['linux/amd64', 'linux/arm64']
    const answers = Array.from([undefined, 'an ordinary user'], async (name) => {
      const { child, rights } = children.get(name ?? '') ?? { rights: { prefix: [] } }
      const asked = question(dockerfile, folderFor(rights, place.file(`platforms ${name}`)))
      const options = { ...asked.options, platform, outputs: [{ type: 'store' } as const] }
      return child === undefined ? await buildLimited({ options }) : await child.ask({ options })
    })
    const [wanted, found] = await Promise.all(answers)
    assert.equal((wanted as BuildAnswer).diffIds.length, 4)
    assert.deepEqual(found, wanted)
  })

  it('is written over files that an earlier build of an ordinary user has closed', async () => {
    const dockerfile = 'FROM scratch\nADD archive.tar /\n'
    const { child, rights } = children.get('an ordinary user') ?? assert.fail()
    const folder = folderFor(rights, place.file('closed'))
    const asked = question(dockerfile, folder)
    const outputs = [{ type: 'local', dest: `${folder}/files`, mode: 'delete' }] as const
    const options = { ...asked.options, outputs, allow: ['buildx.local.delete'] }
    await child.ask({ options })
    const more = `${dockerfile}COPY one /in/more`
    await child.ask({ options: { ...options, dockerfile: more } })
    assert.deepEqual(readdirSync(`${folder}/files/in`), ['able', 'file', 'more'])
    await child.ask({ options })
    assert.deepEqual(readdirSync(`${folder}/files/in`), ['able', 'file'])
    assert.equal(lstatSync(`${folder}/files/in`).mode & 0o7777, 0)
    assert.equal(lstatSync(`${folder}/files/in/file`).mode & 0o7777, 0o4000)
  })

  it('is the same where processes of all rights use one store by turns', async () => {
    const dockerfile = DOCKERFILES['stages on stages'] ?? assert.fail()
    const wanted = await ask(dockerfile)
    for (const order of [ONE_OF_EACH_KIND, ONE_OF_EACH_KIND.toReversed()]) {
      const store = place.file(`shared${count}`)
      for (const name of [...order, ...order]) {
        assert.deepEqual(await ask(dockerfile, name, store), wanted, name)
      }
    }
  })
})

/** For each kind of folders in a store; the first is root of the machine. */
const ONE_OF_EACH_KIND = [
  undefined,
  ...['root without sys_admin', 'root without chown', 'root without capabilities'],
]
