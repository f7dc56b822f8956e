import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { print } from '../../../cli/terminal/shell.ts'

describe('printing', () => {
  it('lets signals have their turn, also where the text is taken at once', async () => {
    const written: string[] = []
    const stdout = new Writable({
      write: (chunk, _, done) => {
        written.push(String(chunk))
        done()
      },
    })
    let hadTurn = false
    setImmediate(() => {
      hadTurn = true
    })
    await print({ stdout }, 'text')
    assert.deepEqual([written, hadTurn], [['text'], true])
  })
})
