import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream, rmSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { writeLayer } from '#builder/layer'
import type { Change } from '#core'
import { type TemporaryDirectory, temporaryDirectory } from '../../../support/peers/index.ts'
import { fuzz } from '../../../support/random/index.ts'
import { changesIn, randomTree } from '../support/random-changes.ts'

const ASCII = /^[ -~]*$/

describe('fuzz: tars that are written', () => {
  let place: TemporaryDirectory
  before(() => {
    place = temporaryDirectory('fuzz-tars')
  })
  after(() => place[Symbol.dispose]())

  fuzz('F5: are read by another program as they were meant, and written the same again', {
    name: 'written-tars',
    inputs: randomTree,
    check: async (nodes) => {
      const changes = [...changesIn(nodes)]
      const [tar, again] = [place.file('tar'), place.file('again')]
      try {
        const { diffId } = writeLayer(changes, { tar })
        assert.equal(writeLayer(changes, { tar: again }).diffId, diffId)
        assert.deepEqual(await entriesIn(tar), changes.map(meant))
      } finally {
        for (const path of [tar, again]) rmSync(path, { force: true })
      }
    },
  })
})

/** What an entry is to others; names that are not ASCII are written in more ways than one. */
function line(name: string, type: string, rest: string): string {
  return `${ASCII.test(name) ? name.replace(/\/$/, '') : '?'} ${type} ${rest}`
}

function meant(change: Change): string {
  if (change.kind === 'whiteout') {
    const slash = change.path.lastIndexOf('/') + 1
    const name = `${change.path.slice(0, slash)}.wh.${change.path.slice(slash)}`
    return line(name, 'file', `0 ${digest('')}`)
  }
  if (change.kind !== 'entry') throw new Error(`a change ${change.kind}`)
  const { path, stat, hardlink, data } = change
  if (hardlink !== undefined) return line(path, 'link', `0 ${digest('')}`)
  const content = Buffer.from(data ?? '').toString('latin1')
  return line(path, stat.type, `${content.length} ${digest(content)}`)
}

async function entriesIn(tar: string): Promise<readonly string[]> {
  const lines: string[] = []
  const reader = extract()
  reader.on('entry', (header: Header, stream, next) => {
    stream.setEncoding?.('latin1')
    text(stream).then((content) => {
      lines.push(line(header.name, header.type ?? '', `${content.length} ${digest(content)}`))
      next()
    }, next)
  })
  await pipeline(createReadStream(tar), reader)
  return lines
}

function digest(content: string): string {
  return createHash('sha256').update(content, 'latin1').digest('hex').slice(0, 16)
}
