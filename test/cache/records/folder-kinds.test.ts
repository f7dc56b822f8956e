import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AnsweringProcess, LIMITED } from '../../support/rights/index.ts'
import { newRoot, pretendReboot, removeRoots } from '../support.ts'
import { ask, IDENTIFIED, type LayerAnswer } from './limited.ts'

const CHILD = fileURLToPath(new URL('./limited.js', import.meta.url))
/** One process for each kind of folders but that of root. */
const OTHERS = ['root without sys_admin', 'root without chown', 'root without capabilities']

describe('folders of layers', () => {
  const children: AnsweringProcess[] = []

  before(function () {
    if (process.geteuid?.() !== 0) this.skip()
    for (const name of OTHERS) {
      const rights = LIMITED[name] ?? assert.fail(name)
      children.push(new AnsweringProcess(CHILD, rights))
    }
  })
  after(() => {
    for (const child of children) child[Symbol.dispose]()
  })
  afterEach(removeRoots)

  /** Root of the machine first. */
  function askers(root: string, id: string, isIdentified = false) {
    const all = [ask, ...children.map((child) => (question: unknown) => child.ask(question))]
    return all.map(
      (one) => async (text?: string) =>
        (await one({ root, id, text, isIdentified })) as LayerAnswer,
    )
  }

  for (const first of [0, 1, 2, 3]) {
    it(`are those of processes with the same rights: ${['root', ...OTHERS][first]} first`, async () => {
      const root = newRoot()
      const processes = askers(root, 'layer')
      const order = [...processes.slice(first), ...processes.slice(0, first)]
      for (const [made, one] of order.entries()) {
        assert.deepEqual(await one(), { hasFolder: false, elsewhere: made })
        assert.deepEqual(await one(`${made}`), {
          hasFolder: true,
          elsewhere: made,
          text: `${made}`,
        })
      }
      for (const [made, one] of order.entries()) {
        assert.deepEqual(await one('later'), { hasFolder: true, elsewhere: 3, text: `${made}` })
      }
    })
  }

  it('of each kind stay when a step of another process leaves the same', async () => {
    const root = newRoot()
    const processes = askers(root, IDENTIFIED, true)
    for (const [index, one] of processes.entries()) {
      assert.deepEqual(await one(`${index}`), {
        hasFolder: true,
        elsewhere: index,
        text: `${index}`,
      })
    }
    for (const [index, one] of processes.entries()) assert.equal((await one()).text, `${index}`)
    assert.equal((await processes[1]?.('newer'))?.text, 'newer')
    assert.equal((await processes[2]?.())?.text, '2')
  })

  it('of all kinds are lost at a reboot before they were written to the disk', async () => {
    const root = newRoot()
    const processes = askers(root, 'layer')
    for (const one of processes) await one('x')
    pretendReboot(root)
    for (const one of processes) assert.deepEqual(await one(), { hasFolder: false, elsewhere: 0 })
    for (const one of processes) assert.equal((await one('again')).text, 'again')
    assert.deepEqual(readdirSync(join(root, 'layers')), ['layer', 'layer.owners'])
  })
})
