import assert from 'node:assert/strict'
import { Comparer } from './support/comparer.ts'
import type { Operation } from './support/operations.ts'

const OLD = 1_200_000_000

/** A base, what a step does to it, and the lines that its layer has: all that an overlay's has. */
interface Case {
  readonly base: readonly Operation[]
  readonly step: readonly Operation[]
  readonly names: readonly string[]
}

function file(path: string, text = path): Operation {
  return { op: 'write', path, text }
}

function touched(path: string, seconds = OLD): Operation {
  return { op: 'touch', path, seconds }
}

const CASES: Readonly<Record<string, Case>> = {
  'nothing is done': { base: [file('a')], step: [], names: [] },
  'a file is written to, by as many bytes and with its old time': {
    base: [file('a', 'one'), touched('a')],
    step: [file('a', 'two'), touched('a')],
    names: ['a'],
  },
  'a file is replaced by an equal one': {
    base: [file('a'), touched('a')],
    step: [{ op: 'remake', path: 'a' }],
    names: [],
  },
  'a file is opened for writing only': {
    base: [file('a'), touched('a')],
    step: [{ op: 'open', path: 'a' }],
    names: [],
  },
  'a file gets the mode that it has': {
    base: [file('a'), touched('a')],
    step: [{ op: 'chmod', path: 'a', mode: 0o644 }],
    names: [],
  },
  'modes, owners and times change': {
    base: [file('a'), file('b'), file('c'), touched('c')],
    step: [
      { op: 'chmod', path: 'a', mode: 0o4711 },
      { op: 'chown', path: 'b', uid: 7 },
      touched('c', OLD + 1),
    ],
    names: ['a', 'b', 'c'],
  },
  'a file is removed, and one beside it stays': {
    base: [{ op: 'mkdir', path: 'd' }, file('d/a'), file('d/b')],
    step: [{ op: 'unlink', path: 'd/a' }],
    names: ['d', 'whiteout d/a'],
  },
  'a file is made and removed again': {
    base: [{ op: 'mkdir', path: 'd' }],
    step: [file('d/a'), { op: 'unlink', path: 'd/a' }],
    names: [],
  },
  'a file is removed and made again': {
    base: [file('a')],
    step: [{ op: 'unlink', path: 'a' }, file('a', 'other')],
    names: ['a'],
  },
  'a directory is replaced by one with an equal file': {
    base: [{ op: 'mkdir', path: 'd' }, file('d/a'), file('d/b'), touched('d/a')],
    step: [
      { op: 'removeTree', path: 'd' },
      { op: 'mkdir', path: 'd' },
      file('d/a'),
      touched('d/a'),
    ],
    names: ['d', 'd/a', 'whiteout d/b'],
  },
  'a directory is renamed': {
    base: [{ op: 'mkdir', path: 'd' }, file('d/a'), touched('d/a'), { op: 'mkdir', path: 'd/e' }],
    step: [{ op: 'rename', path: 'd', to: 'f' }],
    names: ['whiteout d', 'f', 'f/a', 'f/e'],
  },
  'two directories change places': {
    base: ['d', 'e'].flatMap((name) => [{ op: 'mkdir', path: name } as const, file(`${name}/a`)]),
    step: [
      { op: 'rename', path: 'd', to: 'f' },
      { op: 'rename', path: 'e', to: 'd' },
      { op: 'rename', path: 'f', to: 'e' },
    ],
    names: ['d', 'd/a', 'e', 'e/a'],
  },
  'types change': {
    base: [
      file('a'),
      { op: 'mkdir', path: 'b' },
      file('b/c'),
      { op: 'symlink', path: 'd', to: 'a' },
    ],
    step: [
      { op: 'unlink', path: 'a' },
      { op: 'mkdir', path: 'a' },
      file('a/x'),
      { op: 'removeTree', path: 'b' },
      { op: 'symlink', path: 'b', to: 'a' },
      { op: 'unlink', path: 'd' },
      { op: 'fifo', path: 'd' },
    ],
    names: ['a', 'a/x', 'b', 'd'],
  },
  'one of several names is written to': {
    base: [file('a'), { op: 'link', path: 'a', to: 'b' }, { op: 'link', path: 'a', to: 'c' }],
    step: [{ op: 'append', path: 'b', text: 'more' }],
    names: ['b'],
  },
  'a file gets another name': {
    base: [file('a'), { op: 'mkdir', path: 'd' }],
    step: [{ op: 'link', path: 'a', to: 'd/b' }],
    names: ['a', 'd', 'd/b = a'],
  },
  'a name is given and taken away': {
    base: [file('a'), touched('a')],
    step: [
      { op: 'link', path: 'a', to: 'b' },
      { op: 'unlink', path: 'b' },
    ],
    names: [],
  },
  'a file is put in the place of another': {
    base: [file('a'), file('b')],
    step: [{ op: 'rename', path: 'a', to: 'b' }],
    names: ['whiteout a', 'b'],
  },
  'devices and pipes are made, changed and removed': {
    base: [
      { op: 'device', path: 'a' },
      { op: 'fifo', path: 'b' },
    ],
    step: [
      { op: 'chmod', path: 'a', mode: 0o600 },
      { op: 'unlink', path: 'b' },
      { op: 'device', path: 'c' },
    ],
    names: ['a', 'whiteout b', 'c'],
  },
  'a socket is made, and one in the place of a file': {
    base: [file('a')],
    step: [
      { op: 'socket', path: 's' },
      { op: 'unlink', path: 'a' },
      { op: 'socket', path: 'a' },
    ],
    names: [],
  },
  'a directory loses its rights, and what is in it changes': {
    base: [{ op: 'mkdir', path: 'd' }, { op: 'mkdir', path: 'd/e' }, file('d/e/a')],
    step: [
      { op: 'append', path: 'd/e/a', text: 'more' },
      { op: 'chmod', path: 'd', mode: 0o000 },
    ],
    names: ['d', 'd/e', 'd/e/a'],
  },
  'attributes are set': {
    base: [file('a'), { op: 'mkdir', path: 'd' }],
    step: [
      { op: 'setxattr', path: 'a', name: 'user.one', text: '1' },
      { op: 'setxattr', path: 'd', name: 'trusted.two', text: '2' },
      // A capability: cap_net_bind_service, permitted and effective.
      {
        op: 'setxattr',
        path: 'a',
        name: 'security.capability',
        text: '\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
      },
    ],
    names: ['a'],
  },
}

describe('changes in a placed root', () => {
  let comparer: Comparer

  before(function () {
    if (process.getuid?.() !== 0) this.skip()
    comparer = new Comparer()
  })

  after(() => comparer?.close())

  for (const [title, { base, step, names }] of Object.entries(CASES)) {
    it(`are those in an overlay when ${title}`, async () => {
      // The first step of a root that knew nothing, then one on top of what it has collected itself.
      const steps = [
        { from: -1, operations: base },
        { from: 0, operations: step },
        { from: 1, operations: [] },
        { from: 0, operations: step },
      ]
      const comparisons = await comparer.compare({ root: 'disk', form: 'directory', steps })
      for (const { step, what, overlay, placed } of comparisons) {
        // Overlayfs shows a socket where a layer has none.
        if (title.includes('socket') && !what.startsWith('tar')) continue
        assert.deepEqual(placed, overlay, `${what}, step ${step}`)
      }
      const tars = comparisons.filter(({ what }) => what === 'tar')
      for (const index of [1, 3]) {
        const lines = tars[index]?.placed.slice(0, -1) ?? ['no tar']
        assert.deepEqual(lines.map(nameOf), names)
      }
      assert.equal(tars[2]?.placed.length, 1, 'a step that does nothing has an empty layer')
    })
  }
})

/** Without the facts of the file. */
function nameOf(line: string): string {
  return line.replace(/ (?:file|directory|symlink|character|fifo) .*$/, '')
}
