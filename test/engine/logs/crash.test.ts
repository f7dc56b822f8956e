import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { unlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../../support/peers/index.ts'
import { fileOf, filesIn, logIn, textOf } from './support/log-lab.ts'

const PROGRAM = fileURLToPath(new URL('./support/counting.js', import.meta.url))

describe('log of a container whose engine is killed', () => {
  for (const driver of ['json-file', 'local'] as const) {
    it(`can be read and goes on: ${driver}`, async () => {
      using top = temporaryDirectory('logs')
      const folder = top.file('log')
      const options = { 'max-size': '4k', 'max-file': '6', compress: 'true' }
      for (let round = 0; round < 6; round++) {
        const words = [PROGRAM, folder, driver, JSON.stringify(options), `${round}`]
        const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
        await once(child.stdout, 'data')
        await delay(Math.random() * 60)
        child.kill('SIGKILL')
        await once(child, 'close')
        await using log = logIn(folder, { driver, options })
        const lines = (await textOf(log)).trim().split('\n')
        assert.ok(lines.length > 100, `${lines.length} lines`)
        // Without gaps, from some line on to the last that was written.
        const numbers = lines.filter((line) => line.startsWith(`${round} `)).map(numberIn)
        assert.ok(numbers.length > 0)
        assert.deepEqual(
          numbers,
          numbers.map((_, index) => (numbers[0] ?? 0) + index),
        )
        await log.write('stdout', Buffer.from('after\n'))
        assert.equal(await textOf(log, { tail: 1 }), 'after\n')
      }
      assert.ok(filesIn(folder).length <= 7, filesIn(folder).join(' '))
    })
  }

  it('is read past a file that is missing, and one that is there twice', async () => {
    using top = temporaryDirectory('logs')
    const options = { 'max-size': '100', 'max-file': '9' }
    const folder = top.file('log')
    const lines = Array.from({ length: 8 }, (_, index) => `${index}${'x'.repeat(60)}\n`)
    {
      await using log = logIn(folder, { options })
      for (const line of lines) await log.write('stdout', Buffer.from(line))
    }
    // As if it had been killed between two renames, and before a file went that was compressed.
    const path = fileOf(folder)
    assert.equal(filesIn(folder).length, lines.length)
    unlinkSync(`${path}.2`)
    writeFileSync(`${path}.1.gz`, '')
    await using log = logIn(folder, { options: { ...options, compress: 'true' } })
    const kept = lines.toSpliced(5, 1)
    assert.equal(await textOf(log), kept.join(''))
    await log.write('stdout', Buffer.from('next\n'))
    assert.equal(await textOf(log), `${kept.join('')}next\n`)
  })
})

function numberIn(line: string): number {
  return Number(line.split(' ')[1])
}
