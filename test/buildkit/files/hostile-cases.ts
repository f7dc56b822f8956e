import { Buffer } from 'node:buffer'
import type { ErrorCode } from '#core'
import {
  data,
  END,
  entry,
  FIN,
  file,
  folder,
  hardlink,
  link,
  type Step,
} from './peers/scripted-peer.ts'
import {
  FAILURE,
  FINISH,
  GO_DEVICE,
  GO_FOLDER,
  GO_PIPE,
  GO_SOCKET,
  REQUEST,
  STAT,
} from './peers/sending-peer.ts'

/** What a peer must not do, and what is much the same and fine. */
export interface HostileCase {
  readonly title: string
  readonly hostile: readonly Step[]
  readonly fine: readonly Step[]
  /** Default: USAGE. */
  readonly code?: ErrorCode
  /** The peer is not told: we have said all. */
  readonly isSilent?: boolean
}

const DONE: readonly Step[] = [END, 'finish', FIN]
const LONG = 'n'.repeat(255)

/** Files without a content. */
function sends(title: string, hostile: readonly Step[], fine: readonly Step[]): HostileCase {
  return { title, hostile: [...hostile, ...DONE], fine: [...fine, ...DONE] }
}

/** One path with each of those before it. */
function path(title: string, hostile: string, fine: string): HostileCase {
  return sends(title, [file(hostile, 0)], [file(fine, 0)])
}

const PATHS: readonly HostileCase[] = [
  path('a path that leads up', '../outside/planted', '..outside'),
  path('a path that is only dots', '..', '...'),
  path('a path that is one dot', '.', '.dot'),
  path('no path', '', 'a'),
  path('an absolute path', '/outside', 'outside'),
  path('a path with NUL', 'a\0b', 'a\x01b'),
  path('a name that is too long', `${LONG}n`, LONG),
  path('a name that is not in text', 'a/', 'a'),
  sends(
    'a path that leads up from a folder',
    [folder('a'), file('a/../b', 0)],
    [folder('a'), file('a/..b', 0)],
  ),
  sends('an empty name', [folder('a'), file('a//b', 0)], [folder('a'), file('a/b', 0)]),
  sends(
    'a path that is too long',
    [...deep(16), file(`${Array(16).fill(LONG).join('/')}/b`, 0)],
    [...deep(15), file(`${Array(15).fill(LONG).join('/')}/b`, 0)],
  ),
]

function deep(count: number): readonly Step[] {
  return Array.from({ length: count }, (_, index) =>
    folder(
      Array(index + 1)
        .fill(LONG)
        .join('/'),
    ),
  )
}

const ORDER: readonly HostileCase[] = [
  sends('files out of order', [file('b', 0), file('a', 0)], [file('a', 0), file('b', 0)]),
  sends('a file twice', [file('a', 0), file('a', 0)], [file('a', 0), file('a ', 0)]),
  sends(
    'a folder twice',
    [folder('a'), file('a/b', 0), folder('a')],
    [folder('a'), file('a/b', 0), folder('b')],
  ),
  sends(
    'a folder that is entered again',
    [folder('a'), folder('b'), file('a/b', 0)],
    [folder('a'), file('a/b', 0), folder('b')],
  ),
  // In text, a blank comes before a slash.
  sends(
    'an order that is not that of a walk',
    [folder('a'), file('a b', 0), file('a/b', 0)],
    [folder('a'), file('a/b', 0), file('a b', 0)],
  ),
  sends('a file in a folder that was not sent', [file('a/b', 0)], [folder('a'), file('a/b', 0)]),
  sends(
    'a file below a link',
    [link('dir', '../outside'), file('dir/planted', 0)],
    [folder('dir'), file('dir/planted', 0)],
  ),
  sends(
    'a file below a link that was there',
    [file('trap/planted', 0)],
    [folder('trap'), file('trap/planted', 0)],
  ),
  sends('a file below a file', [file('a', 0), file('a/b', 0)], [folder('a'), file('a/b', 0)]),
  {
    title: 'a file after the last one',
    hostile: [END, file('a', 0)],
    fine: [file('a', 0), ...DONE],
  },
  { title: 'two ends', hostile: [file('a', 1), END, END], fine: DONE },
]

const LINKS: readonly HostileCase[] = [
  sends('a hard link to nothing', [hardlink('b', 'a')], [file('a', 0), hardlink('b', 'a')]),
  sends(
    'a hard link to what comes later',
    [hardlink('a', 'b'), file('b', 0)],
    [file('a', 0), hardlink('b', 'a')],
  ),
  sends('a hard link to itself', [hardlink('a', 'a')], [file('a', 0)]),
  sends(
    'a hard link to the outside',
    [hardlink('a', '../outside/secret')],
    [file('a', 0), link('b', '../outside/secret')],
  ),
  sends(
    'a hard link by an absolute path',
    [file('a', 0), hardlink('b', '/a')],
    [file('a', 0), hardlink('b', 'a')],
  ),
  sends(
    'a hard link through a link',
    [link('a', '../outside'), hardlink('b', 'a/secret')],
    [folder('a'), file('a/secret', 0), hardlink('b', 'a/secret')],
  ),
  sends(
    'a hard link to a link',
    [link('a', '../outside/secret'), hardlink('b', 'a')],
    [file('a', 0), hardlink('b', 'a')],
  ),
  sends(
    'a hard link to a hard link',
    [file('a', 0), hardlink('b', 'a'), hardlink('c', 'b')],
    [file('a', 0), hardlink('b', 'a'), hardlink('c', 'a')],
  ),
  sends('a hard link to a folder', [folder('a'), hardlink('b', 'a')], [folder('a'), file('b', 0)]),
  sends(
    'a hard link to what was there',
    [hardlink('z', 'trap')],
    [link('trap', 'x'), file('z', 0)],
  ),
  sends('a link to nothing', [link('a', '')], [link('a', 'nothing')]),
  sends('a link with NUL', [link('a', 'b\0c')], [link('a', 'b\x01c')]),
  sends('a link that is too long', [link('a', 'n'.repeat(4096))], [link('a', 'n'.repeat(4095))]),
]

const STATS: readonly HostileCase[] = [
  sends('a socket', [entry('a', { mode: GO_SOCKET })], [entry('a', { mode: GO_PIPE + 0o600 })]),
  sends('several kinds at once', [entry('a', { mode: GO_FOLDER + GO_PIPE })], [folder('a')]),
  sends(
    'no kind that Linux has',
    [entry('a', { mode: 2 ** 19 })],
    [file('a', 0, { mode: 2 ** 30 + 0o644 })],
  ),
  sends(
    'characters that are no device',
    [entry('a', { mode: 2 ** 21 })],
    [entry('a', { mode: 2 ** 20 + 0o1 })],
  ),
  sends('a mode beyond 32 bits', [entry('a', { mode: 2 ** 40 })], [entry('a', { mode: 0 })]),
  sends('a negative size', [file('a', -1)], [file('a', 0)]),
  sends('a size beyond all disks', [file('a', 2 ** 60)], [file('a', 0)]),
  sends(
    'a device beyond all numbers',
    [entry('a', { mode: GO_DEVICE, devmajor: 4096 })],
    [entry('a', { mode: GO_DEVICE, devmajor: 4095, devminor: 0xfffff })],
  ),
  sends(
    'an attribute without an end',
    [file('a', 0, { xattrs: new Map([['user.a', Buffer.alloc(65_537)]]) })],
    [file('a', 0, { xattrs: new Map([['user.a', Buffer.alloc(65_536)]]) })],
  ),
]

const A: readonly Step[] = [file('a', 3), END, 'request']
const REST: readonly Step[] = [data(0, 'abc'), data(0, ''), 'finish', FIN]

/** After a file of three bytes, which is asked for. */
function contents(title: string, hostile: readonly Step[], code?: ErrorCode): HostileCase {
  return {
    title,
    hostile: [...A, ...hostile],
    fine: [...A, ...REST],
    ...(code === undefined ? {} : { code }),
  }
}

const CONTENTS: readonly HostileCase[] = [
  contents('a content that was not asked for', [data(1, 'abc')]),
  contents('the end of one that was not asked for', [data(7, '')]),
  contents('a number beyond all files', [data(2 ** 32 - 1, 'abc')]),
  contents('a content after its end', [data(0, 'abc'), data(0, ''), data(0, 'd')]),
  contents('two ends of a content', [data(0, 'abc'), data(0, ''), data(0, '')]),
  contents('more bytes than were said', [data(0, 'abc'), data(0, 'd')], 'SIZE_MISMATCH'),
  contents('fewer bytes than were said', [data(0, 'ab'), data(0, '')], 'SIZE_MISMATCH'),
  contents('none of the bytes that were said', [data(0, '')], 'SIZE_MISMATCH'),
  contents('an end in the middle', [data(0, 'ab'), FIN]),
  contents('an end before anything', [FIN]),
  contents('a stream that ends', [data(0, 'ab')]),
  { ...contents('a packet after the end', [...REST, data(0, 'more')]), isSilent: true },
  { ...contents('two ends of all', [...REST, FIN]), isSilent: true },
  contents('a request', [{ type: REQUEST, ID: 0 }]),
  contents('a packet of a kind that is unknown', [{ type: 17 }]),
  contents('bytes that are no packet', [Buffer.from('\xff\xff\xff')]),
  contents('a packet that is too large', [Buffer.alloc(16 * 1024 * 1024 + 1)]),
  contents(
    'a failure',
    [{ type: FAILURE, data: Buffer.from('open x: no such file') }],
    'IO_FAILED',
  ),
  contents(
    'a failure with a text that plays with terminals',
    [{ type: FAILURE, data: Buffer.from(`\x1b]0;title\x07\u202e\n\0${'x'.repeat(1_000_000)}`) }],
    'IO_FAILED',
  ),
  {
    title: 'a content of a file that is as it was said',
    hostile: [file('a', 0), data(0, 'abc')],
    fine: [file('a', 0), ...DONE],
  },
  { title: 'a stream that ends at once', hostile: [], fine: DONE },
  { title: 'an end before the last file', hostile: [{ type: FINISH }], fine: DONE },
  {
    title: 'content of a folder',
    hostile: [folder('a'), file('b', 1), END, 'request', data(0, 'x')],
    fine: [folder('a'), file('b', 1), END, 'request', data(1, 'x'), data(1, ''), 'finish', FIN],
  },
  {
    title: 'an entry without a name and with nothing else',
    hostile: [{ type: STAT, stat: {} }],
    fine: [{ type: STAT }, 'finish', FIN],
  },
]

export const HOSTILE: readonly HostileCase[] = [...PATHS, ...ORDER, ...LINKS, ...STATS, ...CONTENTS]
