import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capture, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { seededRandom } from '../../support/random/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE } from '../support/tsbuild.ts'
import { imagesIn } from './soak/soak-apps.ts'

/** Has a command that stops a file system as a power cut would. */
const CHILD = fileURLToPath(new URL('../../cache/child.js', import.meta.url))
const NO_MOUNT = 32

/*
 * One life of a machine, in a mount namespace of its own: the store is on an ext4 in a file, the kernel has the boot
 * id of this life. Builds follow each other, and each is written down when it has succeeded, until the cut.
 * $1: the folder, $2: the number of this life, $3: seconds until the cut, $4: node, $5: child.js, and the program.
 */
const LIFE = `
set -e
folder=$1 life=$2 seconds=$3 node=$4 child=$5
shift 5
mount -o loop "$folder/disk" "$folder/mnt" || exit ${NO_MOUNT}
echo "boot $life" > "$folder/boot"
mount --bind "$folder/boot" /proc/sys/kernel/random/boot_id
if test -e "$folder/mnt/store"; then
  "$@" store verify --root "$folder/mnt/store" > "$folder/verified" || exit 1
  cp "$folder/mnt/store/index.json" "$folder/index.json"
fi
(
  build=0
  while :; do
    build=$((build + 1))
    "$@" --root "$folder/mnt/store" --progress plain -t "localhost/life$life:$build" --build-arg "ME=$life.$build" \\
      "$folder/context" > "$folder/built" 2>&1 || exit 1
    echo "localhost/life$life:$build" >> "$folder/acknowledged"
  done
) & builder=$!
sleep "$seconds"
"$node" "$child" cut "$folder/mnt"
kill -9 $builder 2> /dev/null || true
wait $builder || true
# What runs still fails soon, since nothing can be written.
until umount "$folder/mnt" 2> /dev/null; do sleep 0.05; done
`

/** Cuts the power of a machine that builds, again and again. */
export function powerCutSuite({ cuts }: { readonly cuts: number }): void {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('power')
  })
  after(() => directory[Symbol.dispose]())

  it('has every image that was acknowledged, after each cut', async function () {
    if (process.geteuid?.() !== 0) this.skip()
    await prepare(directory)
    const seed = Number(process.env.TSBUILD_CUT_SEED ?? Math.floor(Math.random() * 2 ** 31))
    console.log(`      TSBUILD_CUT_SEED=${seed}`)
    const random = seededRandom(seed)
    for (let life = 0; life <= cuts; life++) {
      // Long enough for some builds, and now and then for none.
      const seconds = (0.3 + random() * 3).toFixed(2)
      const args = [directory.path, `${life}`, seconds, process.execPath, CHILD, ...HERE.command]
      const env = { HOME: directory.file('home') }
      const { status, stderr } = await capture('unshare', ['-m', 'sh', '-c', LIFE, 'sh', ...args], {
        env,
      })
      if (status === NO_MOUNT) this.skip()
      const said = ['verified', 'built'].map((name) => readFileSync(directory.file(name), 'utf8'))
      assert.equal(status, 0, [stderr, ...said].join('\n'))
      if (life > 0) checkNames(directory, life)
    }
    assert.ok(acknowledged(directory).length >= cuts, `${acknowledged(directory).length} builds`)
  })
}

async function prepare(directory: TemporaryDirectory): Promise<void> {
  writeContext(directory.file('context'), {
    Dockerfile: [
      'FROM scratch',
      'COPY --chmod=755 busybox /bin/busybox',
      'SHELL ["/bin/busybox", "sh", "-c"]',
      'ARG ME',
      'RUN echo $ME > /me; /bin/busybox seq 1 20000 > /numbers',
      'RUN /bin/busybox cp /numbers /copy; echo $ME >> /copy',
      '',
    ].join('\n'),
    busybox: readFileSync('/bin/busybox'),
  })
  for (const name of ['mnt', 'home']) mkdirSync(directory.file(name))
  for (const name of ['acknowledged', 'verified', 'built']) writeFileSync(directory.file(name), '')
  await capture('truncate', ['-s', '512M', directory.file('disk')])
  await capture('mkfs.ext4', ['-q', '-F', directory.file('disk')])
}

/** This life began with all names that were acknowledged in earlier ones. */
function checkNames(directory: TemporaryDirectory, life: number): void {
  const names = imagesIn(directory.path)
  const missing = acknowledged(directory).filter((name) => lifeOf(name) < life && !names.has(name))
  assert.deepEqual(missing, [], readFileSync(directory.file('verified'), 'utf8'))
}

function acknowledged(directory: TemporaryDirectory): readonly string[] {
  return readFileSync(directory.file('acknowledged'), 'utf8').split('\n').filter(Boolean)
}

function lifeOf(name: string): number {
  return Number(/life(\d+):/.exec(name)?.[1])
}
