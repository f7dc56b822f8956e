import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyLayer, stackTree } from '#builder/layer'
import {
  directory,
  END,
  file,
  gnuLong,
  hardlink,
  header,
  padded,
  pax,
  paxBody,
  symlink,
  tar,
} from '../../../support/raw-tar/index.ts'
import { fingerprint, reused, temporary } from '../support/files.ts'
import { outline } from '../support/listing.ts'

/** What the last of the layers must lead to: an error code, or what the merged view shows. */
type Outcome = 'LAYER_INVALID' | readonly string[]

interface Case {
  readonly title: string
  /** From the bottom up. */
  readonly layers: readonly Buffer[]
  readonly outcome: Outcome
}

const BASE = tar(
  directory('etc/'),
  file('etc/passwd', 'root'),
  directory('keep/'),
  file('keep/a', 'A'),
  file('keep/secret', 'inside'),
)
const KEPT = ['etc/', 'etc/passwd=root', 'keep/', 'keep/a=A', 'keep/secret=inside']

/** A directory outside of every layer, with a file `secret`. */
const CANARY = mkdtempSync(join(tmpdir(), 'tsbuild-canary-'))
/** The same path below a layer's root: where links to it lead after `chroot`. */
const INNER = CANARY.split('/')
  .slice(1)
  .map((_, i, names) => `${names.slice(0, i + 1).join('/')}/`)
const inner = (name: string) => `${CANARY.slice(1)}/${name}`

/** One layer on the usual base. */
function onBase(title: string, parts: readonly Buffer[], outcome: Outcome): Case {
  return { title, layers: [BASE, tar(...parts)], outcome }
}

function raw(title: string, bytes: Buffer, outcome: Outcome): Case {
  return { title, layers: [BASE, bytes], outcome }
}

const base256 = (bytes: string) => ({ 124: Buffer.from(bytes, 'hex') })

const NAMES: readonly Case[] = [
  onBase('../x', [file('../x', 'out')], 'LAYER_INVALID'),
  onBase('a/../../x', [file('a/../../x', 'out')], 'LAYER_INVALID'),
  onBase('./../x', [file('./../x', 'out')], 'LAYER_INVALID'),
  onBase('..', [directory('..')], 'LAYER_INVALID'),
  onBase('forty times ../', [file(`${'../'.repeat(30)}x`, 'out')], 'LAYER_INVALID'),
  onBase('/abs is below the root', [file('/abs', 'x')], ['abs=x', ...KEPT]),
  onBase('//abs is below the root', [file('//abs', 'x')], ['abs=x', ...KEPT]),
  onBase('a backslash is a letter', [file('..\\x', 'x')], ['..\\x=x', ...KEPT]),
  onBase(
    'a/./b and a//b are a/b',
    [directory('a/'), file('a/./b', '1'), file('a//c', '2')],
    ['a/', 'a/b=1', 'a/c=2', ...KEPT],
  ),
  onBase('a/../b by name', [file('a/../b', '1')], ['b=1', ...KEPT]),
  onBase(
    'root entries that are directories',
    [directory('.'), directory('./'), directory('/')],
    KEPT,
  ),
]

const ROOTS: readonly Case[] = ['.', '/', './', '././'].map((name) =>
  onBase(`the root as a link, ${JSON.stringify(name)}`, [symlink(name, CANARY)], 'LAYER_INVALID'),
)

const LINKS: readonly Case[] = [
  onBase(
    'a link out, then a file through it',
    [symlink('l', CANARY), file('l/pwned', 'x')],
    [...INNER, inner('pwned=x'), ...KEPT, `l -> ${CANARY}`],
  ),
  onBase(
    'the same, relative',
    [symlink('l', '../../../../../../x'), file('l/pwned', 'x')],
    [...KEPT, 'l -> ../../../../../../x', 'x/', 'x/pwned=x'],
  ),
  {
    title: 'the link in one layer, the file in the next',
    layers: [tar(symlink('l', CANARY)), tar(file('l/pwned', 'x'))],
    outcome: ['l/', 'l/pwned=x'],
  },
  {
    title: 'a link to itself in one layer, a file below it in the next',
    layers: [tar(symlink('l', 'l')), tar(file('l/x', 'x'))],
    outcome: ['l/', 'l/x=x'],
  },
  onBase(
    'a chain of links, each inside by name',
    [symlink('a', '.'), symlink('b', 'a/..'), symlink('c', 'b/..'), file('c/../../x', 'x')],
    'LAYER_INVALID',
  ),
  onBase(
    'a chain of links that ends at the root',
    [symlink('a', '.'), symlink('b', 'a/..'), symlink('c', 'b/..'), file('c/x', 'x')],
    ['a -> .', 'b -> a/..', 'c -> b/..', ...KEPT, 'x=x'],
  ),
  onBase(
    'a loop of links',
    [symlink('a', 'b'), symlink('b', 'a'), file('a/x', 'x')],
    'LAYER_INVALID',
  ),
  onBase(
    'a directory that becomes a link',
    [directory('d/'), file('d/x', '1'), symlink('d', CANARY), file('d/y', '2')],
    [...INNER, inner('y=2'), `d -> ${CANARY}`, ...KEPT],
  ),
  onBase(
    'a link that becomes a directory',
    [symlink('d', CANARY), directory('d/'), file('d/y', '2')],
    ['d/', 'd/y=2', ...KEPT],
  ),
  onBase(
    'a file over a link does not follow it',
    [symlink('l', `${CANARY}/secret`), file('l', 'x')],
    [...KEPT, 'l=x'],
  ),
  onBase('a link to nothing', [symlink('l', '')], 'LAYER_INVALID'),
]

const HARD_LINKS: readonly Case[] = [
  onBase('to an absolute path outside', [hardlink('h', `${CANARY}/secret`)], 'LAYER_INVALID'),
  onBase('to a relative path outside', [hardlink('h', '../../canary/secret')], 'LAYER_INVALID'),
  onBase('through a link', [symlink('l', CANARY), hardlink('h', 'l/secret')], 'LAYER_INVALID'),
  onBase(
    'to a link, then written to',
    [symlink('l', `${CANARY}/secret`), hardlink('h', 'l'), file('h', 'x', { mode: 0o4777 })],
    ['h=x', ...KEPT, `l -> ${CANARY}/secret`],
  ),
  onBase('to a directory', [directory('d/'), hardlink('h', 'd')], 'LAYER_INVALID'),
  onBase('to a directory below', [hardlink('h', 'keep')], 'LAYER_INVALID'),
  onBase('to itself', [file('h', 'x'), hardlink('./h', '/h')], 'LAYER_INVALID'),
  onBase(
    'to a file in the directory that it replaces',
    [directory('d/'), file('d/x', 'x'), hardlink('d', 'd/x')],
    'LAYER_INVALID',
  ),
  onBase('to a later entry', [hardlink('h', 'later'), file('later', 'x')], 'LAYER_INVALID'),
  onBase('to nothing', [hardlink('h', 'nothing')], 'LAYER_INVALID'),
  onBase('to a deleted file', [file('keep/.wh.a'), hardlink('h', 'keep/a')], 'LAYER_INVALID'),
  onBase(
    'to a file in an opaque directory',
    [directory('keep/'), file('keep/.wh..wh..opq'), hardlink('h', 'keep/a')],
    'LAYER_INVALID',
  ),
]

const WHITEOUTS: readonly Case[] = [
  onBase('of nothing', [file('keep/.wh.')], 'LAYER_INVALID'),
  onBase('of nothing, as a directory', [directory('keep/.wh./')], 'LAYER_INVALID'),
  onBase('of .', [file('keep/.wh..')], 'LAYER_INVALID'),
  onBase('of ..', [file('keep/.wh...')], 'LAYER_INVALID'),
  onBase('of . at the root', [file('.wh..')], 'LAYER_INVALID'),
  onBase('as a parent', [file('.wh.keep/a', 'x')], 'LAYER_INVALID'),
  onBase('as a parent of a whiteout', [file('.wh.keep/.wh.a')], 'LAYER_INVALID'),
  onBase(
    'through a link',
    [symlink('l', CANARY), file('l/.wh.secret')],
    [...INNER, ...KEPT, `l -> ${CANARY}`],
  ),
  onBase(
    'opaque through a link',
    [symlink('l', CANARY), file('l/.wh..wh..opq')],
    [...INNER, ...KEPT, `l -> ${CANARY}`],
  ),
  onBase(
    'aufs leftovers are skipped',
    [file('.wh..wh.aufs'), directory('.wh..wh.plnk/'), file('.wh..wh.plnk/1.2', 'x')],
    KEPT,
  ),
  onBase('a device 0:0', [header({ name: 'etc/passwd', type: '3' })], 'LAYER_INVALID'),
]

const XATTRS: readonly Case[] = [
  ...['redirect', 'opaque', 'metacopy', 'origin', 'whiteout', 'overlay.opaque'].flatMap((key) =>
    ['trusted', 'user'].map((space) =>
      onBase(
        `${space}.overlay.${key}`,
        [
          pax({
            [`SCHILY.xattr.${space}.overlay.${key}`]: key === 'redirect' ? '/etc' : 'y',
            [`LIBARCHIVE.xattr.${space}.overlay.${key}`]: 'eQ==',
          }),
          directory('keep/'),
        ],
        KEPT,
      ),
    ),
  ),
  onBase(
    'security.selinux and security.ima',
    [
      pax({ 'SCHILY.xattr.security.selinux': 'x', 'SCHILY.xattr.security.ima': 'x' }),
      file('s', 'S'),
    ],
    [...KEPT, 's=S'],
  ),
]

const NUMBERS: readonly Case[] = [
  onBase(
    'an id of 2^32 - 1',
    [pax({ uid: '4294967295' }), file('a', 'x', { mode: 0o4755 })],
    'LAYER_INVALID',
  ),
  onBase('a group of 2^32 - 1', [pax({ gid: '4294967295' }), file('a', 'x')], 'LAYER_INVALID'),
  onBase('an id of 2^40', [pax({ uid: String(2 ** 40) }), file('a', 'x')], 'LAYER_INVALID'),
  onBase(
    'a negative id',
    [file('a', '', { raw: { 108: Buffer.from('ffffffffffffffff', 'hex') } })],
    'LAYER_INVALID',
  ),
  onBase(
    'a huge major number',
    [header({ name: 'd', type: '3', raw: { 329: Buffer.from('8000000100000001', 'hex') } })],
    'LAYER_INVALID',
  ),
  onBase(
    'a negative major number',
    [header({ name: 'd', type: '4', raw: { 329: Buffer.from('ffffffffffffffff', 'hex') } })],
    'LAYER_INVALID',
  ),
  raw(
    'a size of -1',
    tar(header({ name: 'a', raw: base256('ffffffffffffffffffffffff') })),
    'LAYER_INVALID',
  ),
  raw(
    'a size of 2^62',
    tar(header({ name: 'a', raw: base256('800000004000000000000000') })),
    'LAYER_INVALID',
  ),
  raw(
    'a size of 2^90',
    tar(header({ name: 'a', raw: base256('8fffffffffffffffffffffff') })),
    'LAYER_INVALID',
  ),
  raw(
    'a size with junk',
    tar(header({ name: 'a', raw: { 124: '0000000x001\0' } })),
    'LAYER_INVALID',
  ),
  raw('a PAX size of -1', tar(pax({ size: '-1' }), file('a', 'x')), 'LAYER_INVALID'),
  raw('a PAX size with junk', tar(pax({ size: '5x' }), file('a', 'x')), 'LAYER_INVALID'),
  raw(
    'a PAX time of 10^20',
    tar(pax({ mtime: `1${'0'.repeat(20)}` }), file('a', 'x')),
    'LAYER_INVALID',
  ),
]

const FORM: readonly Case[] = [
  raw('a bad checksum', tar(header({ name: 'a', badChecksum: true })), 'LAYER_INVALID'),
  raw('a body cut short', file('a', 'x'.repeat(2000)).subarray(0, 1024), 'LAYER_INVALID'),
  raw('a header cut short', header({ name: 'a' }).subarray(0, 300), 'LAYER_INVALID'),
  raw(
    'a lone zero block',
    Buffer.concat([file('a', '1'), Buffer.alloc(512), file('b', '2'), END]),
    'LAYER_INVALID',
  ),
  raw('an unknown type', tar(file('a', 'x', { type: 'Z' })), 'LAYER_INVALID'),
  raw('a file with the name of a directory', tar(header({ name: 'd/' })), 'LAYER_INVALID'),
  raw('a PAX length that lies', tar(paxBody('99 path=x\n'), file('a')), 'LAYER_INVALID'),
  raw('a PAX length of nothing', tar(paxBody(' path=x\n'), file('a')), 'LAYER_INVALID'),
  raw('a PAX record without =', tar(paxBody('8 path\n\n'), file('a')), 'LAYER_INVALID'),
  raw('a NUL in a PAX path', tar(pax({ path: 'good\0../../evil' }), file('a')), 'LAYER_INVALID'),
  raw(
    'a NUL in a PAX link',
    tar(pax({ linkpath: 'good\0evil' }), symlink('a', 'b')),
    'LAYER_INVALID',
  ),
  raw(
    'a PAX header of 2 MiB',
    tar(pax({ comment: 'x'.repeat(1 << 21) }), file('a')),
    'LAYER_INVALID',
  ),
  raw('a GNU name of 2 MiB', tar(gnuLong('L', 'x'.repeat(1 << 21)), file('a')), 'LAYER_INVALID'),
  raw(
    'half a million directories in one name',
    tar(gnuLong('L', 'a/'.repeat(500_000)), file('a')),
    'LAYER_INVALID',
  ),
  raw('a bad global header', tar(paxBody('99 path=x\n', 'g'), file('a')), 'LAYER_INVALID'),
  onBase('a file, then something below it', [file('p', 'x'), file('p/q', 'y')], 'LAYER_INVALID'),
]

/** Odd, but every image tool reads them. */
const TWINS: readonly Case[] = [
  raw('no end mark', file('a', '1'), ['a=1', ...KEPT]),
  raw('half an end mark', Buffer.concat([file('a', '1'), Buffer.alloc(512)]), ['a=1', ...KEPT]),
  raw('entries after the end mark do not exist', tar(file('a', '1'), END, file('b', '2')), [
    'a=1',
    ...KEPT,
  ]),
  raw('an empty tar', END, KEPT),
  raw('no bytes at all', Buffer.alloc(0), KEPT),
  raw(
    'a global header names nothing',
    tar(pax({ path: 'evil', comment: 'x' }, 'g'), file('a', '1')),
    ['a=1', ...KEPT],
  ),
  raw(
    'an older tar, with a directory that is a file by type',
    tar(header({ name: 'd/', type: '\0', magic: '\0'.repeat(8) })),
    ['d/', ...KEPT],
  ),
  raw('GNU long names', tar(gnuLong('L', `${'n'.repeat(120)}`), file('short', '1')), [
    ...KEPT,
    `${'n'.repeat(120)}=1`,
  ]),
  raw(
    'two GNU long names: the second counts',
    tar(gnuLong('L', 'first'), gnuLong('L', 'second'), file('a', '1')),
    [...KEPT, 'second=1'],
  ),
  raw(
    'a PAX size is not that of the GNU name after it',
    tar(
      pax({ size: '1536' }),
      gnuLong('L', 'n'),
      header({ name: 'a', size: 1 }),
      padded('1'.padEnd(512)),
      file('hidden', 'hid'),
    ),
    [
      ...KEPT,
      `n=${'1'.padEnd(512)}${header({ name: 'hidden', size: 3 }).toString('latin1')}${padded('hid').toString('latin1')}`,
    ],
  ),
  raw(
    'a PAX size over the header',
    tar(pax({ size: '5' }), header({ name: 'a', size: 1024 }), padded('12345'), file('b', '2')),
    ['a=12345', 'b=2', ...KEPT],
  ),
  raw(
    'a size on a link or directory means nothing',
    tar(
      symlink('l', 'x'),
      header({ name: 'd/', type: '5', size: 700 }),
      hardlink('h', 'keep/a', { size: 5 }),
      file('z', '1'),
    ),
    ['d/', 'h=A', ...KEPT, 'l -> x', 'z=1'],
  ),
  raw(
    'a time before 1970',
    tar(file('a', '1', { raw: { 136: Buffer.from('ffffffffffffffffffffffff', 'hex') } })),
    ['a=1', ...KEPT],
  ),
  onBase(
    'the same name thrice: the last one counts',
    [file('x', '1'), symlink('x', 'y'), directory('x/'), file('x/y', '2')],
    [...KEPT, 'x/', 'x/y=2'],
  ),
  onBase(
    'a directory that becomes a file',
    [directory('x/'), file('x/y', '1'), file('x', '2')],
    [...KEPT, 'x=2'],
  ),
  onBase(
    'a lower directory that becomes a file',
    [file('keep', '2')],
    ['etc/', 'etc/passwd=root', 'keep=2'],
  ),
  onBase(
    'a lower file that becomes a directory',
    [directory('etc/passwd/'), file('etc/passwd/x', '1')],
    ['etc/', 'etc/passwd/', 'etc/passwd/x=1', 'keep/', 'keep/a=A', 'keep/secret=inside'],
  ),
  onBase(
    'a hard link to a lower file',
    [hardlink('h', '/keep/a')],
    ['etc/', 'etc/passwd=root', 'h=A', 'keep/', 'keep/a=A', 'keep/secret=inside'],
  ),
  onBase(
    'a hard link with an absolute name',
    [file('x', '1'), hardlink('y', '/x')],
    [...KEPT, 'x=1', 'y=1'],
  ),
  {
    title: 'entries below what a lower layer has as links and files',
    layers: [
      tar(
        directory('run/'),
        directory('var/'),
        symlink('var/run', '/run'),
        directory('usr/'),
        directory('usr/lib/'),
        file('usr/lib/f', '0'),
        symlink('lib', 'usr/lib'),
        symlink('lib64', 'usr/lib'),
        symlink('loop', 'nowhere'),
        file('file', '0'),
      ),
      tar(
        ...[file('var/run/pid', '1'), file('lib/x.so', '2'), file('lib64/.wh.f')],
        ...[file('loop/deep/x', '3'), file('file/x', '4')],
      ),
    ],
    outcome: [
      ...['file/', 'file/x=4', 'lib/', 'lib/x.so=2', 'lib64/', 'loop/', 'loop/deep/'],
      ...['loop/deep/x=3', 'run/', 'usr/', 'usr/lib/', 'usr/lib/f=0', 'var/', 'var/run/'],
      'var/run/pid=1',
    ],
  },
]

describe('hostile layers', () => {
  const files = temporary()

  before(() => writeFileSync(join(CANARY, 'secret'), 'SECRET', { mode: 0o600 }))
  after(() => rmSync(CANARY, { recursive: true }))

  async function check({ layers, outcome }: Case): Promise<void> {
    const untouched = fingerprint(CANARY)
    const lowers: string[] = []
    const last = layers.length - 1
    for (const [i, layer] of layers.entries()) {
      const target = files.fresh()
      const applied = applyLayer(reused(layer), target, { lowers })
      if (typeof outcome === 'string' && i === last) {
        await assert.rejects(applied, { code: outcome })
      } else {
        await applied
        lowers.unshift(target)
      }
    }
    if (typeof outcome !== 'string') {
      const tree = stackTree(lowers)
      assert.deepEqual(outline(tree).sort(), [...outcome].sort())
      tree.close()
    }
    assert.equal(fingerprint(CANARY), untouched, 'something outside was touched')
  }

  const battery = { NAMES, ROOTS, LINKS, HARD_LINKS, WHITEOUTS, XATTRS, NUMBERS, FORM, TWINS }
  for (const [group, cases] of Object.entries(battery)) {
    describe(group.toLowerCase().replace('_', ' '), () => {
      for (const hostile of cases) it(hostile.title, () => check(hostile))
    })
  }
})
