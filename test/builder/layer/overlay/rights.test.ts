import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import {
  directory,
  file,
  hardlink,
  header,
  pax,
  type RawHeader,
  symlink,
  tar,
} from '../../../support/raw-tar/index.ts'
import { AnsweringProcess, folderFor, LIMITED, type Rights } from '../../../support/rights/index.ts'
import { hasTool, isRoot, temporary } from '../support/files.ts'
import { type MadeLayers, makeLayers } from '../support/limited-layers.ts'

const CHILD = fileURLToPath(new URL('../support/limited-layers.js', import.meta.url))
const NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1')
const ONE = { uid: 1000, gid: 1000 }
const capable = (entry: Buffer): Buffer =>
  Buffer.concat([pax({ 'SCHILY.xattr.security.capability': NET_RAW }), entry])

/** Everything that a process may be unable to give a file. */
const LOWER = [
  directory('./', { uid: 7, gid: 8 }),
  directory('closed/', { mode: 0, ...ONE }),
  file('closed/in', 'x', { mode: 0, uid: 5 }),
  directory('gone/', ONE),
  file('gone/f', 'x'),
  directory('seen/', { mode: 0o1777 }),
  file('seen/f', 'x'),
  file('su', 's', { mode: 0o6755, gid: 42 }),
  capable(file('ping', 'p', { mode: 0o4511, ...ONE })),
  hardlink('ping2', 'ping', ONE),
  header({ name: 'disk', type: '4', major: 8, minor: 1, mode: 0o660, gid: 6 }),
  hardlink('disk2', 'disk', { gid: 6 }),
  header({ name: 'null', type: '3', major: 1, minor: 3, mode: 0o4666 }),
  header({ name: 'fifo', type: '6', mode: 0o200, ...ONE }),
  symlink('link', 'su'),
]
const UPPER = [
  directory('closed/', { mode: 0o1500, ...ONE }),
  file('closed/.wh.in', ''),
  directory('gone/', { mode: 0o2700, ...ONE }),
  file('gone/.wh..wh..opq', ''),
  file('gone/new', 'y', { mode: 0o400 }),
  file('.wh.link', ''),
  hardlink('linked', 'disk', { gid: 6 }),
  hardlink('ping3', 'ping', ONE),
]

/** $1: a folder; the rest is the command. A ramfs has no attributes, and an overlay takes no whiteouts. */
const MOUNT = `
set -e
mount -t ramfs none "$1"
cd "$1"
mkdir below above work ramfs overlay
mount -t overlay -o lowerdir=below,upperdir=above,workdir=work none overlay
chmod 1777 ramfs overlay
shift
exec "$@"
`
const POOR_FILE_SYSTEMS = { attributes: 'ramfs/place', 'whiteouts either': 'overlay/place' }

describe('a layer that is made with few rights', () => {
  const files = temporary()
  const children = new Map<string, { readonly child: AnsweringProcess; readonly rights: Rights }>()

  before(function () {
    if (!isRoot || !hasTool('setpriv') || !hasTool('unshare')) this.skip()
    chmodSync(files.path, 0o711)
    for (const [name, rights] of Object.entries(LIMITED)) {
      children.set(name, { child: new AnsweringProcess(CHILD, rights), rights })
    }
  })
  after(() => {
    for (const { child } of children.values()) child[Symbol.dispose]()
  })

  function stored(layers: readonly (readonly Buffer[])[]): readonly string[] {
    return layers.map((parts) => {
      const path = files.fresh()
      writeFileSync(path, tar(...parts))
      return path
    })
  }

  /** As root of the machine makes them. */
  function expected(tars: readonly string[]): Promise<MadeLayers> {
    return makeLayers({ tars, place: files.fresh() })
  }

  async function made(name: string, tars: readonly string[]): Promise<MadeLayers> {
    const { child, rights } = children.get(name) ?? assert.fail(name)
    const place = folderFor(rights, files.fresh())
    return (await child.ask({ tars, place })) as MadeLayers
  }

  for (const name of Object.keys(LIMITED)) {
    it(`is the same for ${name}`, async () => {
      const tars = stored([LOWER, UPPER])
      const wanted = await expected(tars)
      assert.equal(new Set(wanted.layers.flat()).size, 2)
      assert.equal(new Set(wanted.merged).size, 1)
      assert.deepEqual(await made(name, tars), wanted)
    })
  }

  for (const [kind, folder] of Object.entries(POOR_FILE_SYSTEMS)) {
    for (const uid of [0, 4711]) {
      it(`is the same on a file system that has no ${kind}, for user ${uid}`, async () => {
        const place = files.fresh()
        mkdirSync(place)
        const prefix = ['unshare', '--mount', 'sh', '-c', MOUNT, 'sh', place]
        using child = new AnsweringProcess(CHILD, { prefix, uid })
        const tars = stored([LOWER, UPPER])
        const question = { tars, place: `${place}/${folder}` }
        assert.deepEqual(await child.ask(question), await expected(tars))
      })
    }
  }

  it('is the same whatever it holds', async () => {
    const layers = fc.array(fc.array(entry(), { maxLength: 12 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(layers, async (parts) => {
        const tars = stored(parts)
        const wanted = await expected(tars).catch(() => undefined)
        fc.pre(wanted !== undefined)
        for (const name of children.keys()) assert.deepEqual(await made(name, tars), wanted, name)
      }),
      { numRuns: 25 },
    )
  })
})

function entry(): fc.Arbitrary<Buffer> {
  const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  const path = name.map((parts) => parts.join('/'))
  const fields: fc.Arbitrary<Partial<RawHeader>> = fc.record({
    mode: fc.oneof(fc.constantFrom(0, 0o400, 0o644, 0o755), fc.integer({ min: 0, max: 0o7777 })),
    uid: fc.constantFrom(0, 4711, 65_534),
    gid: fc.constantFrom(0, 0, 5),
  })
  const node = fc.record({
    type: fc.constantFrom('3', '4', '6'),
    major: fc.integer({ min: 1, max: 300 }),
    minor: fc.integer({ min: 0, max: 300 }),
  })
  return fc.oneof(
    { weight: 3, arbitrary: fc.tuple(path, fields).map(([at, all]) => directory(`${at}/`, all)) },
    { weight: 3, arbitrary: fc.tuple(path, fields).map(([at, all]) => file(at, 'x', all)) },
    fc.tuple(path, fields).map(([at, all]) => capable(file(at, 'x', all))),
    fc.tuple(path, fields, node).map(([at, all, type]) => header({ name: at, ...all, ...type })),
    fc.tuple(path, path).map(([at, to]) => symlink(at, `/${to}`)),
    fc.tuple(path, path).map(([at, to]) => hardlink(at, to)),
    path.map((at) => file(at.replace(/[^/]+$/, '.wh.$&'))),
    path.map((at) => file(`${at}/.wh..wh..opq`)),
  )
}
