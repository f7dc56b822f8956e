import assert from 'node:assert/strict'
import { chmodSync, readFileSync } from 'node:fs'
import { textOfName } from '#core'
import { copy, workspace } from './fixture.ts'

const TABLE = new URL('../../../../fixtures/files/chmod.txt', import.meta.url)
const [, head = '', ...rows] = readFileSync(TABLE, 'utf8').trimEnd().split('\n')
/** `d0755`: a directory with this mode. */
const [, ...before] = head.split(/ +/)

describe('--chmod', () => {
  for (const row of rows) {
    const [text = '', ...after] = row.split(/ +/)
    it(`${text} does what BuildKit does`, async () => {
      using space = workspace({
        source: before.map((one) => (one.startsWith('d') ? `d/${one}/` : `d/${one}`)),
      })
      for (const one of before) {
        chmodSync(space.directory.file(`source/d/${one}`), Number.parseInt(one.slice(1), 8))
      }
      using result = await space.run([copy('d', '/x', { chmod: text })])
      const made = new Map(
        [...result.changes].flatMap((change) =>
          change.kind === 'entry' ? [[textOfName(change.path), change.stat.mode] as const] : [],
        ),
      )
      assert.deepEqual(
        before.map((one) => made.get(`x/${one}`)?.toString(8).padStart(4, '0')),
        after,
      )
    })
  }

  it('takes octal modes up to 07777 as they are', async () => {
    using space = workspace({ source: ['f 0600'] })
    for (const [text, mode] of [
      ['0', '0000'],
      ['7777', '07777'],
      ['04755', '04755'],
      ['000644', '0644'],
    ] as const) {
      const [line = ''] = await space.show([copy('f', '/f', { chmod: text })])
      assert.equal(line.split(' ')[1], mode)
    }
  })

  it('refuses anything else', async () => {
    using space = workspace({ source: ['f'] })
    for (const chmod of [
      '99',
      '10000',
      '',
      'u',
      'x+r',
      'u+y',
      'u=rw,',
      '+rux',
      '0x1',
      '-1',
      '644 ',
    ]) {
      await assert.rejects(space.run([copy('f', '/f', { chmod })]), {
        code: 'DOCKERFILE_INVALID',
        message: `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
      })
    }
  })
})
