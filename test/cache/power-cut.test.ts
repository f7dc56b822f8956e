import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { newRoot, removeRoots } from './support.ts'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const NO_MOUNT = 32

/*
 * An ext4 file system in a file, in a mount namespace of its own, with another boot id after the cut.
 * $1: an empty folder, $2: node, $3: child.js, $4: seconds until the cut, $5 and $6: commands before and after it.
 */
const SCRIPT = `
set -e
truncate -s 64M "$1/disk"
mkfs.ext4 -q -F "$1/disk"
mkdir "$1/mnt"
mount -o loop "$1/disk" "$1/mnt" || exit ${NO_MOUNT}
echo first > "$1/boot"
mount --bind "$1/boot" /proc/sys/kernel/random/boot_id
"$2" "$3" "$5" "$1/mnt/store" > "$1/log" 2> "$1/errors" & pid=$!
while ! test -s "$1/log"; do
  kill -0 $pid || exit 1
  sleep 0.02
done
sleep "$4"
"$2" "$3" cut "$1/mnt"
kill -9 $pid 2> /dev/null || true
wait $pid || true
umount "$1/mnt"
mount -o loop "$1/disk" "$1/mnt"
echo second > "$1/boot"
"$2" "$3" "$6" "$1/mnt/store"
umount "$1/mnt"
`

interface Found {
  readonly names: Readonly<Record<string, string>>
  readonly layers: readonly string[]
}

describe('store after a power cut', function () {
  this.timeout(120_000)
  afterEach(removeRoots)

  it('has every image that was named and every layer that was synced', function () {
    if (process.geteuid?.() !== 0) this.skip()
    let promises = 0
    for (let round = 0; round < 5; round++) {
      const seconds = (Math.random() * 1.5).toFixed(2)
      const after = cut(['crash', 'check'], seconds)
      if (after === undefined) this.skip()
      promises += checkPromises(after.log, after.found as Found)
    }
    assert.ok(promises > 5, `only ${promises}`)
  })

  it('takes no layer for one that was synced, removed and made again', function () {
    if (process.geteuid?.() !== 0) this.skip()
    const after = cut(['remake', 'remade'], '0')
    if (after === undefined) this.skip()
    const { names, isThere, isWhole } = after.found as Remade
    assert.deepEqual(names, ['localhost/remade:1'])
    assert.equal(isThere && !isWhole, false)
  })
})

interface Remade {
  readonly names: readonly string[]
  readonly isThere: boolean
  readonly isWhole: boolean
}

/** What a command has said before the cut, and another one after it; `undefined` where nothing can be mounted. */
function cut(
  commands: readonly [before: string, after: string],
  seconds: string,
): { readonly log: string; readonly found: unknown } | undefined {
  const folder = newRoot()
  mkdirSync(folder)
  const words = [folder, process.execPath, CHILD, seconds, ...commands]
  const args = ['-m', 'sh', '-c', SCRIPT, 'sh', ...words]
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
  if (status === NO_MOUNT || status === null) return undefined
  assert.equal(status, 0, stderr + readFileSync(`${folder}/errors`, 'utf8'))
  return { log: readFileSync(`${folder}/log`, 'utf8'), found: JSON.parse(stdout) }
}

/** How many promises there were, after seeing that all were kept. */
function checkPromises(log: string, found: Found): number {
  const lines = log.split('\n').map((line) => line.split(' '))
  const promised = new Map<string, string>()
  const all = new Set<string>()
  for (const [verb, name = '', digest = ''] of lines) {
    if (verb !== 'named') continue
    promised.set(name, digest)
    all.add(digest)
  }
  for (const [name, digest] of promised) {
    const actual = found.names[name] ?? 'nothing'
    // A later one whose naming was under way may be there as well.
    assert.ok(actual === digest || (actual !== 'nothing' && !all.has(actual)), `${name}: ${actual}`)
  }
  const synced = lines.slice(0, lines.findLastIndex(([verb]) => verb === 'synced') + 1)
  const layers = synced.flatMap(([verb, id = '']) => (verb === 'put' ? [id] : []))
  for (const id of layers) assert.ok(found.layers.includes(id), `layer ${id}`)
  return promised.size + layers.length
}
