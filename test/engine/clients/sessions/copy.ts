import type { Session } from '../support/session.ts'

const LIST = 'tar -tv --numeric-owner | tr -s " " | cut -d" " -f1-3,6-'

/** Files that go in and out. */
export const COPY: Session = {
  name: 'copy',
  steps: [
    "docker create --name box busybox sh -c \"cat /put/file; ls -lan /put | tail -n +2 | tr -s ' ' | cut -d' ' -f1,3-4,9-\"",
    'mkdir -p put/below && echo text > put/file && echo more > put/below/deep && ln -s file put/link && chmod 640 put/file',
    'docker cp put box:/',
    'docker start -a box',
    'docker cp put/file box:/etc/renamed; docker cp box:/etc/renamed - | tar -xO',
    'docker cp put box:/tmp; docker cp put/. box:/home; docker cp box:/home - | tar -t | sort',
    'docker cp box:/put got; find got | sort; readlink got/link; stat -c %a got/file',
    'docker cp box:/put/. into 2>&1; mkdir into; docker cp box:/put/. into; find into | sort',
    'docker cp box:/put/file copy; cat copy',
    'docker cp box:/put/link link; readlink link',
    'docker cp -L box:/put/link followed; cat followed',
    `docker cp box:/put - | ${LIST} | sort`,
    'tar -C put -c file --owner 7 --group 8 --numeric-owner | docker cp - box:/tmp; docker cp box:/tmp/file - | tar -tv --numeric-owner | cut -d" " -f2',
    'tar -C put -c file --owner 7 --group 8 | docker cp -a - box:/tmp; docker cp box:/tmp/file - | tar -tv --numeric-owner | cut -d" " -f2',
    'docker cp no-such-file box:/',
    'docker cp box:/no-such-file .',
    'docker cp no-such-container:/x .',
    'docker cp put/file box:/no/such/folder/file',
    'docker cp put/file box:/etc/passwd/file',
    // Whether the client has sent all when it is refused is a race.
    'docker cp put box:/etc/passwd 2> said; echo "$?"; grep -v "read/write on closed pipe" said',
    'echo x | docker cp - box:/no/such/folder',
    'tar -C put -c file | docker cp - box:/etc/passwd',
    'docker cp a b',
    'docker cp box:/a box:/b',
    'docker diff box | sort',
    'docker diff no-such-container',
    'docker export box | tar -t | grep -cE "^(put/below/deep|etc/renamed|bin/busybox)$"',
    'docker export -o exported box && tar -xOf exported etc/renamed',
    'docker export no-such-container',
    'docker export box -o /no/such/folder/file',
    'docker run -d --name running -v data:/data --tmpfs /mem busybox sh -c "rm /bin/wget; mkdir /new; echo y > /new/f; echo x > /etc/passwd; while :; do sleep 0.1; done"',
    { until: 'docker diff running | sort', shows: /passwd/ },
    'docker diff running | sort',
    'docker cp put/file running:/data/; docker exec running cat /data/file',
    'docker exec running ln -s /etc /data/out; docker cp put/file running:/data/out/copied; docker exec running cat /etc/copied',
    'docker exec running ln -s ../../../../../../etc/hosts /climb; docker cp -L running:/climb climbed; grep -c localhost climbed',
    'docker cp running:/proc/1/comm comm; cat comm',
    'docker rm -f box running | sort; docker volume rm data',
  ],
}
