import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { applyLayer, changesOf, writeLayer } from '#builder/layer'
import type { Change } from '#core'
import { chunked, hasTool, isRoot, temporary } from '../support/files.ts'
import { listing } from '../support/listing.ts'
import { changesIn, randomTree } from '../support/random-changes.ts'

/** Changes as values, without what may differ: inodes, links' own attributes. */
function plain(changes: Iterable<Change>): object[] {
  return Array.from(changes, (change) => {
    if (change.kind !== 'entry') return change
    const { path, stat, target, hardlink, data, open } = change
    if (hardlink !== undefined) return { path, hardlink }
    const { type, mode, uid, gid, mtimeMs } = stat
    const content = data ?? (open === undefined ? undefined : contentOf(open()))
    return {
      path,
      type,
      mode,
      uid,
      gid,
      mtimeMs,
      target,
      content: content && Buffer.from(content).toString('hex'),
    }
  })
}

function contentOf(fd: number): Buffer {
  const content = readFileSync(fd)
  closeSync(fd)
  return content
}

describe('layers come back as they were', () => {
  const files = temporary()

  it('from any changes, through tar and directory', async function () {
    if (!isRoot) this.skip()
    this.timeout(60_000)
    let most = 0
    await fc.assert(
      fc.asyncProperty(randomTree, fc.integer({ min: 1, max: 5000 }), async (nodes, size) => {
        const changes = [...changesIn(nodes)]
        most = Math.max(most, changes.length)
        const [tar, direct, applied] = [files.fresh(), files.fresh(), files.fresh()]
        const written = writeLayer(changes, { tar, directory: direct })
        const result = await applyLayer(chunked(readFileSync(tar), size), applied, { lowers: [] })
        assert.equal(result.diffId, written.diffId)
        for (const directory of [direct, applied]) {
          assert.deepEqual(plain(changesOf(directory)), plain(changes))
          assert.equal(
            writeLayer(changesOf(directory), { tar: files.fresh() }).diffId,
            written.diffId,
          )
        }
      }),
      { numRuns: 60 },
    )
    assert(most > 5)
  })

  describe('from tars of other writers:', () => {
    const script = `import sys, tarfile
t = tarfile.open(sys.argv[2], 'w', format=getattr(tarfile, sys.argv[1]), encoding='utf-8', errors='surrogateescape')
t.add('.')`
    const writers: Readonly<Record<string, (tar: string) => readonly string[]>> = {
      'GNU tar, v7': (tar) => ['tar', '--format=v7', '-cf', tar, '.'],
      'GNU tar, ustar': (tar) => ['tar', '--format=ustar', '-cf', tar, '.'],
      'GNU tar, gnu': (tar) => ['tar', '--format=gnu', '-cf', tar, '.'],
      'GNU tar, oldgnu': (tar) => ['tar', '--format=oldgnu', '-cf', tar, '.'],
      'GNU tar, pax': (tar) => ['tar', '--format=pax', '--xattrs', '-cf', tar, '.'],
      'Python, pax': (tar) => ['python3', '-c', script, 'PAX_FORMAT', tar],
      'Python, gnu': (tar) => ['python3', '-c', script, 'GNU_FORMAT', tar],
    }
    for (const [writer, command] of Object.entries(writers)) {
      it(writer, async function () {
        const [source, tar, target] = [files.fresh(), files.fresh(), files.fresh()]
        const [tool = '', ...args] = command(tar)
        if (!isRoot || !hasTool(tool)) this.skip()
        mkdirSync(source)
        const isOld = writer.includes('v7') || writer.includes('ustar')
        execFileSync(
          'bash',
          ['-ec', SAMPLE, 'bash', isOld ? '30' : '210', isOld ? '1000' : '3000000'],
          { cwd: source },
        )
        if (writer.includes('v7')) execFileSync('sh', ['-c', 'rm -f fifo null'], { cwd: source })
        execFileSync(tool, args, { cwd: source, stdio: 'pipe' })
        const { dependsOnLowers } = await applyLayer(chunked(readFileSync(tar)), target, {})
        assert.equal(dependsOnLowers, false)
        const expected = listing(source, { directoryTimes: true })
        assert(expected.length > 8)
        assert.deepEqual(listing(target, { directoryTimes: true }), expected)
      })
    }
  })
})

/** `$1` is the length of the longest name, `$2` the largest id. */
const SAMPLE = `
mkdir -p a/b "$(printf '%0'$1'd' 0)"/c é
echo 1 > a/f; ln a/f a/b/f2; ln -s ../f a/b/s; ln -s "$(printf '%0'$1'd' 1)" long
echo 2 > "$(printf '%0'$1'd' 0)/c/$(printf '%0'$1'd' 2 | tr 0 x)"
head -c 100000 /dev/zero > é/zeros
touch é/empty; chmod 6711 é/empty; chown $2:$2 a/b; chmod 1777 a
mkfifo fifo; mknod null c 1 3
find . -print0 | xargs -0 touch -h -d @1111111111
`
