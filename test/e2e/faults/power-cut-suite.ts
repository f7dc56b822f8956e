import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { capture, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { seededRandom } from '../../support/random/index.ts'
import { writeContext } from '../support/context.ts'
import { HERE, mustBuild } from '../support/tsbuild.ts'

/** Has a command that stops a file system as a power cut would. */
const CHILD = fileURLToPath(new URL('../../cache/child.js', import.meta.url))
const NO_MOUNT = 32

/** So many that a copy is made of its earlier version. */
const FILES = 520
/** Bytes with which its tar is kept in parts of that. */
const LARGE = 9 << 20
/** A life has fewer until the cut begins, */
const MOST_BUILDS = 4
/** which comes within so many seconds, about the duration of one. */
const LONGEST_BUILD = 0.8
/** Of the images, so many are made once more where nothing is disturbed. */
const MOST_COMPARED = 12

/*
 * One life of a machine, in a mount namespace of its own: the store is on an ext4 in a file, the kernel has the boot
 * id of this life. Builds follow each other, of a context in which one file of many changes, some with an export of
 * the cache; now and then the store is pruned, or repaired. Each build is written down when it has succeeded, until the
 * cut. The life begins with what the one before has left.
 * $1: the folder, $2: the number of this life, $3: builds until the cut, $4: seconds after them, $5: node, $6: child.js,
 * and the program.
 */
const LIFE = `
set -e
folder=$1 life=$2 builds=$3 seconds=$4 node=$5 child=$6
shift 6
root=$folder/mnt/store cache=$folder/mnt/cache
build() {
  me=$1
  shift
  echo "$me" > "$folder/context/d/f7"
  "$@" --reproducible --progress plain --build-arg "ME=$me" --iidfile "$folder/id" "$folder/context" \
    > "$folder/built" 2>&1
}
mount -o loop "$folder/disk" "$folder/mnt" || exit ${NO_MOUNT}
echo "boot $life" > "$folder/boot"
mount --bind "$folder/boot" /proc/sys/kernel/random/boot_id
if test -e "$root"; then
  "$@" store verify --root "$root" > "$folder/verified" || exit 1
  "$@" images --format json --root "$root" > "$folder/images"
  ls "$root/parts" >> "$folder/parts" 2> /dev/null || true
fi
if test -e "$cache" && test -s "$folder/exported"; then
  read -r me id < "$folder/exported"
  build "$me" "$@" --root "$folder/other" --cache-from "type=local,src=$cache" || exit 1
  test "$(cat "$folder/id")" = "$id" || { echo "what the cache gave is not $id" >> "$folder/built"; exit 1; }
  rm -r "$folder/other"
fi
(
  at=0
  while :; do
    at=$((at + 1))
    me=$life.$at name=localhost/life$life:$at
    case $(((life + at) % 6)) in
      2) build "$me" "$@" --root "$root" -t "$name" --cache-to "type=local,mode=max,dest=$cache" || exit 1
         echo "$me $(cat "$folder/id")" > "$folder/exported.new"
         mv "$folder/exported.new" "$folder/exported" ;;
      *) build "$me" "$@" --root "$root" -t "$name" || exit 1 ;;
    esac
    # A disk that is being stopped may say that all was written.
    touch "$folder/mnt/alive" || exit 1
    echo "$name $me $(cat "$folder/id")" >> "$folder/acknowledged"
    case $(((life + at) % 6)) in
      3) "$@" prune --force --root "$root" > "$folder/built" 2>&1 || exit 1 ;;
      4) "$@" store verify --repair --root "$root" > "$folder/built" 2>&1 || exit 1 ;;
      0) "$@" prune --all --force --root "$root" > "$folder/built" 2>&1 || exit 1 ;;
    esac
  done
) & builder=$!
until test "$(grep -c "^localhost/life$life:" "$folder/acknowledged")" -ge "$builds"; do
  kill -0 $builder || exit 1
  sleep 0.02
done
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
      // In every other life some are acknowledged, in the others perhaps none.
      const fewest = life % 2 === 0 ? 2 : 0
      const builds = `${fewest + Math.floor(random() * (MOST_BUILDS - fewest))}`
      const seconds = (random() * LONGEST_BUILD).toFixed(2)
      const numbers = [`${life}`, builds, seconds]
      const args = [directory.path, ...numbers, process.execPath, CHILD, ...HERE.command]
      const env = { HOME: directory.file('home') }
      const { status, stderr } = await capture('unshare', ['-m', 'sh', '-c', LIFE, 'sh', ...args], {
        env,
      })
      if (status === NO_MOUNT) this.skip()
      const said = ['verified', 'built'].map((name) => readFileSync(directory.file(name), 'utf8'))
      assert.equal(status, 0, [stderr, ...said].join('\n'))
      if (life > 0) checkNames(directory, life)
    }
    const built = acknowledged(directory)
    assert.ok(built.length >= cuts, `${built.length} builds`)
    assert.match(readFileSync(directory.file('parts'), 'utf8'), /^[0-9a-f]{64}$/m)
    await checkImages(directory, lastOfLives(built).slice(-MOST_COMPARED))
  })
}

async function prepare(directory: TemporaryDirectory): Promise<void> {
  writeContext(directory.file('context'), {
    Dockerfile: [
      'FROM scratch AS made',
      'COPY d /d',
      'FROM scratch',
      'COPY --chmod=755 busybox /bin/busybox',
      'SHELL ["/bin/busybox", "sh", "-c"]',
      'COPY d /d',
      'ARG ME',
      'RUN echo $ME > /me; /bin/busybox seq 1 20000 > /numbers',
      'RUN /bin/busybox cp /d/f7 /copy; echo $ME >> /copy',
      'COPY --from=made /d/f7 /d/f8 /',
      '',
    ].join('\n'),
    busybox: readFileSync('/bin/busybox'),
    'd/large': Buffer.alloc(LARGE, 'large'),
    ...Object.fromEntries(Array.from({ length: FILES }, (_, n) => [`d/f${n}`, `file ${n}\n`])),
  })
  for (const name of ['mnt', 'home']) mkdirSync(directory.file(name))
  const files = ['acknowledged', 'exported', 'verified', 'built', 'parts']
  for (const name of files) writeFileSync(directory.file(name), '')
  await capture('truncate', ['-s', '512M', directory.file('disk')])
  await capture('mkfs.ext4', ['-q', '-F', directory.file('disk')])
}

/** One build that had succeeded before the cut. */
interface Acknowledged {
  readonly name: string
  /** What it was given, which no other one was. */
  readonly me: string
  /** Of its image. */
  readonly id: string
}

/** This life began with all images that were acknowledged in earlier ones. */
function checkNames(directory: TemporaryDirectory, life: number): void {
  const images = JSON.parse(readFileSync(directory.file('images'), 'utf8')) as readonly {
    readonly name: string
    readonly id: string
  }[]
  const ids = new Map(images.map(({ name, id }) => [name, id]))
  const missing = acknowledged(directory).filter(
    ({ name, id }) => lifeOf(name) < life && ids.get(name) !== id,
  )
  assert.deepEqual(missing, [], readFileSync(directory.file('verified'), 'utf8'))
}

/** They are what a build makes that nothing ever disturbed. */
async function checkImages(
  directory: TemporaryDirectory,
  built: readonly Acknowledged[],
): Promise<void> {
  const root = directory.file('undisturbed')
  for (const { me, id } of built) {
    writeFileSync(directory.file('context/d/f7'), `${me}\n`)
    const args = ['-q', '--reproducible', '--build-arg', `ME=${me}`, directory.file('context')]
    assert.equal((await mustBuild(args, { root })).stdout.trim(), id, me)
  }
}

function lastOfLives(built: readonly Acknowledged[]): readonly Acknowledged[] {
  return built.filter(({ name }, at) => lifeOf(name) !== lifeOf(built[at + 1]?.name ?? ''))
}

function acknowledged(directory: TemporaryDirectory): readonly Acknowledged[] {
  const lines = readFileSync(directory.file('acknowledged'), 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => {
    const [name = '', me = '', id = ''] = line.split(' ')
    return { name, me, id }
  })
}

function lifeOf(name: string): number {
  return Number(/life(\d+):/.exec(name)?.[1])
}
