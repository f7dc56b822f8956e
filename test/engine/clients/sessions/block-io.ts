import type { Session } from '../support/session.ts'

const DISK = 'disk=$(lsblk -dpno NAME | tail -1)'
const SHOWN =
  'jq -S ".[0].HostConfig | with_entries(select(.key | startswith(\\"Blkio\\")) | .value |= (. // []))" | sed "s,\\"/dev/[a-z0-9]*\\",DISK,"'

/** Weights and rates of block I/O. */
export const BLOCK_IO: Session = {
  name: 'block-io',
  needs: 'limits',
  steps: [
    'docker run --rm --blkio-weight 300 busybox echo ran',
    'docker run --rm --blkio-weight 5 busybox echo ran',
    `${DISK}; docker run --rm --blkio-weight-device $disk:200 busybox echo ran`,
    'docker run --rm --blkio-weight-device /dev/nothing:200 busybox echo ran',
    `${DISK}; docker run --rm --device-read-bps $disk:1mb --device-write-bps $disk:2mb --device-read-iops $disk:30 --device-write-iops $disk:40 busybox sh -c "cat /sys/fs/cgroup/blkio/blkio.throttle.*_device || cat /sys/fs/cgroup/io.max" | sed "s/^[0-9:]* //"`,
    'docker run --rm --device-read-bps /dev/nothing:1mb busybox true',
    `${DISK}; docker create --name set --blkio-weight 300 --blkio-weight-device $disk:200 --device-read-bps $disk:1mb --device-write-iops $disk:50 busybox true > /dev/null; docker inspect set | ${SHOWN}`,
    `docker update --blkio-weight 500 set; docker inspect set | ${SHOWN}`,
    'docker run -d --name runs busybox sleep 600 > /dev/null; docker update --blkio-weight 500 runs; docker inspect -f "{{.HostConfig.BlkioWeight}}" runs',
  ],
}
