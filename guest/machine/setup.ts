/** Files that make Debian's packages a machine that runs suites and switches itself off. */
import { PORTS, SHARES, USER } from './names.ts'

/**
 * Runs the suites. The repository has a writable layer in memory, since tests keep what they compile
 * beside it.
 */
const START = `#!/bin/sh
# The ports may come later than this.
for port in ${PORTS.output} ${PORTS.status}; do
  until [ -e "/dev/virtio-ports/$port" ]; do sleep 0.1; done
done
exec > /dev/virtio-ports/${PORTS.output} 2>&1
set -e
for share in ${SHARES.join(' ')}; do
  mkdir -p "/run/shares/$share"
  mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 "$share" "/run/shares/$share"
done
mkdir /run/layer /srv/tsbuild
mount -t tmpfs layer /run/layer
mkdir /run/layer/upper /run/layer/work
layers=lowerdir=/run/shares/repository,upperdir=/run/layer/upper,workdir=/run/layer/work
mount -t overlay -o "$layers" tsbuild /srv/tsbuild
cd /srv/tsbuild
export PATH=/srv/tsbuild/node_modules/.bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8 TSBUILD_PEERS=
[ ! -e /run/shares/peers/unpack ] || TSBUILD_PEERS=/run/shares/peers
status=0
node dist/guest/inside/main.js || status=$?
echo "$status" > /dev/virtio-ports/${PORTS.status}
`

const NPM = `#!/bin/sh
exec node /run/shares/npm/bin/npm-cli.js "$@"
`

const UNIT = `[Unit]
After=systemd-user-sessions.service systemd-logind.service
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/local/sbin/run-suites
[Install]
WantedBy=multi-user.target
`

/** Debian starts each daemon that is installed. The tests start those that they need themselves. */
const PRESET = `enable run-suites.service
enable apparmor.service
disable *
`

/** Path, permissions and content. */
const FILES: readonly (readonly [path: string, mode: string, text: string])[] = [
  ['/usr/local/sbin/run-suites', '755', START],
  ['/usr/local/bin/npm', '755', NPM],
  ['/etc/systemd/system/run-suites.service', '644', UNIT],
  ['/etc/systemd/system-preset/00-suites.preset', '644', PRESET],
  ['/etc/hostname', '644', 'guest\n'],
  ['/etc/hosts', '644', '127.0.0.1 localhost guest\n::1 localhost\n'],
  [`/var/lib/systemd/linger/${USER}`, '644', ''],
]

/** A script for sh that changes the root file system `$1`. */
export const SETUP: string = [
  'set -e',
  ...FILES.flatMap(([path, mode, text]) => [
    `mkdir -p "$1$(dirname ${path})"`,
    `cat > "$1${path}" <<'END_OF_FILE'\n${text}END_OF_FILE`,
    `chmod ${mode} "$1${path}"`,
  ]),
  `chroot "$1" useradd --create-home --shell /bin/sh ${USER}`,
  'chroot "$1" systemctl preset-all',
  // Otherwise the first boot takes time for them.
  'chroot "$1" systemd-machine-id-setup',
].join('\n')
