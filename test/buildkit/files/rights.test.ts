import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { AnsweringProcess, folderFor, LIMITED } from '../../support/rights/index.ts'
import type { LimitedEntry, LimitedQuestion } from './peers/limited-receiver.ts'

const RECEIVER = fileURLToPath(new URL('./peers/limited-receiver.js', import.meta.url))

describe('folders that are received with few rights', () => {
  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
  })

  for (const who of ['an ordinary user', 'a namespace with one id', 'root without capabilities']) {
    it(`have modes that forbid everything: ${who}`, async () => {
      using directory = openDirectory()
      const rights = LIMITED[who] ?? assert.fail(who)
      const ours = folderFor(rights, directory.file('ours'))
      using receiver = new AnsweringProcess(RECEIVER, rights)
      const ask = (entries: readonly LimitedEntry[], requests: number): Promise<unknown> => {
        const question: LimitedQuestion = { ours, entries, requests }
        return receiver.ask(question)
      }
      assert.deepEqual(await ask(CLOSED, 3), [2, 4, 5])
      assert.deepEqual(
        modesOf(ours),
        CLOSED.map(({ mode }) => mode),
      )
      assert.equal(readFileSync(join(ours, 'closed/sub/file'), 'utf8'), 'abc')
      // Nothing is asked for again, though none of it can be looked at as it is.
      assert.deepEqual(await ask(CLOSED, 0), [])
      assert.deepEqual(
        modesOf(ours),
        CLOSED.map(({ mode }) => mode),
      )
      // What is in such a folder goes, and something else comes.
      assert.deepEqual(await ask(OTHERS, 2), [1, 3])
      assert.deepEqual(
        modesOf(ours),
        OTHERS.map(({ mode }) => mode),
      )
      assert.equal(existsSync(join(ours, 'closed/sub')), false)
      assert.deepEqual(await ask([], 0), [])
      assert.deepEqual(readdirSync(ours), [])
    })
  }

  it('have no devices', async () => {
    using directory = openDirectory()
    const rights = LIMITED['an ordinary user'] ?? assert.fail()
    const ours = folderFor(rights, directory.file('ours'))
    using receiver = new AnsweringProcess(RECEIVER, rights)
    const device: LimitedEntry = { path: 'device', kind: 'device', mode: 0o660 }
    const question: LimitedQuestion = { ours, entries: [device], requests: 0 }
    assert.equal(await receiver.ask(question), 'PERMISSION_DENIED')
    assert.deepEqual(await receiver.ask({ ...question, entries: [] }), [])
  })
})

const CLOSED: readonly LimitedEntry[] = [
  { path: 'closed', kind: 'folder', mode: 0 },
  { path: 'closed/sub', kind: 'folder', mode: 0o111 },
  { path: 'closed/sub/file', kind: 'file', mode: 0 },
  { path: 'read', kind: 'folder', mode: 0o555 },
  { path: 'read/file', kind: 'file', mode: 0o444 },
  { path: 'read/set', kind: 'file', mode: 0o4755 },
]
const OTHERS: readonly LimitedEntry[] = [
  { path: 'closed', kind: 'folder', mode: 0 },
  { path: 'closed/new', kind: 'file', mode: 0o200 },
  { path: 'read', kind: 'folder', mode: 0o555 },
  { path: 'read/new', kind: 'file', mode: 0o400 },
]

function openDirectory(): TemporaryDirectory {
  const directory = temporaryDirectory('limited')
  chmodSync(directory.path, 0o755)
  return directory
}

/** In the order of a walk. */
function modesOf(folder: string): readonly number[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      const stats = lstatSync(path)
      return [stats.mode & 0o7777, ...(stats.isDirectory() ? modesOf(path) : [])]
    })
}
