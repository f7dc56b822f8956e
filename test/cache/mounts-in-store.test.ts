import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newRoot, pretendReboot, putStep, removeRoots, withStore } from './support.ts'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const DEAD = '0123456789abcdef'

/** Where something is mounted, below the store, and what is in the way there. */
const PLACES = [
  `tmp/${DEAD}/a/tmpfs`,
  `tmp/${DEAD}/b/bind`,
  'tmp/fedcba9876543210',
  'layers/garbage/deep/tmpfs',
  'layers/garbage/deep/bind',
  'layers/garbage2',
] as const

/**
 * $1 store, $2 folder for what is mounted, $3 node, $4 the child; the rest are places. Tells what is
 * left after some starts (one that ends early leaves work to the next), behind the mounts, and at the
 * end, when nothing is mounted any more.
 */
const SCRIPT = `
root=$1; source=$2; node=$3; child=$4; shift 4
for place; do
  case $place in
    *tmpfs) mount -t tmpfs tmpfs "$root/$place" ;;
    *) mkdir -p "$source/$place"; mount --bind "$source/$place" "$root/$place" ;;
  esac
  mkdir "$root/$place/folder" "$root/$place/dead0"
  echo data > "$root/$place/folder/file"
done
touch "$source/file"
mount --bind "$source/file" "$root/tmp/${DEAD}/a/file"
start() {
  echo 'an earlier one' > "$root/boot"
  for i in 1 2 3 4 5; do "$node" "$child" clean "$root"; done
  find "$root/tmp" "$root/layers" -mindepth 1 -printf "$1 %P\\n"
}
start early
start late
for mounted in $(grep -o "$root/[^ ]*" /proc/self/mountinfo); do
  find "$mounted" -mindepth 1 -printf 'behind %P\\n'
  umount "$mounted"
done
start end
`

describe('store with file systems mounted into what is to be removed', () => {
  afterEach(removeRoots)

  it('removes the rest and nothing behind a mount, and all once it is unmounted', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    const root = newRoot()
    await withStore(root, (store) => putStep(store, 'kept'))
    for (const place of PLACES) mkdirSync(join(root, place), { recursive: true })
    writeFileSync(join(root, 'tmp', DEAD, 'a', 'file'), '')
    writeFileSync(join(root, 'tmp', DEAD, 'a', 'other'), '')
    mkdirSync(join(root, 'layers', 'garbage', 'other', 'more'), { recursive: true })
    pretendReboot(root)
    const args = [root, join(root, '..', 'source'), process.execPath, CHILD, ...PLACES]
    const text = execFileSync('unshare', ['-m', 'sh', '-ec', SCRIPT, 'sh', ...args], {
      encoding: 'utf8',
    })
    const lines = text.split('\n')
    const linesOf = (what: string) => {
      return lines.flatMap((line) =>
        line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : [],
      )
    }
    const behind = linesOf('behind').sort()
    const each = (name: string) => Array(PLACES.length).fill(name)
    assert.deepEqual(behind, [...each('dead0'), ...each('folder'), ...each('folder/file')])
    const early = linesOf('early')
    assert.ok(early.length > 0)
    assert.deepEqual(
      early.filter((path) => path.includes('other')),
      [],
    )
    const depth = (paths: readonly string[]) =>
      Math.max(...paths.map((path) => path.split('/').length))
    assert.ok(depth(linesOf('late')) <= depth(early), 'it lies no deeper after every start')
    assert.deepEqual(linesOf('end'), [])
  })
})
