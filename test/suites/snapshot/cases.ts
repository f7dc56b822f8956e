import type { SnapshotterKind } from '#core'

/** What a step finds, and what it does to it: scripts for busybox's shell, in a directory of the case. */
export interface SnapshotCase {
  readonly base: string
  readonly step: string
  /** Kinds that do this in another way, and say so. */
  readonly not?: readonly SnapshotterKind[]
}

const DEEP = `i=0; while [ $i -lt 130 ]; do mkdir directory-of-a-deep-tree-$i && cd directory-of-a-deep-tree-$i || exit 1; i=$((i+1)); done`

/** What steps do to files, by what is special about it. */
export const CASES: Readonly<Record<string, SnapshotCase>> = {
  'owners change': {
    base: 'echo a > a; mkdir d; ln -s a l',
    step: 'chown 5:6 a; chown 7:8 d; chown -h 9:10 l; echo n > n; chown 11:12 n',
  },
  'modes change': {
    base: 'echo a > a; mkdir d; chmod 600 a',
    step: 'chmod 4755 a; chmod 1777 d; echo n > n; chmod 2755 n; mkdir e; chmod 0 e',
  },
  'set-id bits survive an owner': {
    base: 'echo a > a; chown 5:6 a; chmod 6755 a',
    step: 'echo more >> a; chmod 6755 a; cp -a a b',
  },
  'attributes are set': {
    base: 'echo a > a; mkdir d; setfattr -n user.one -v 1 a',
    step: 'setfattr -n user.two -v 2 a; setfattr -n user.three -v 3 d; echo n > n; setfattr -n user.one -v 1 n',
  },
  'capabilities are given': {
    base: 'echo a > a; echo b > b; setfattr -n security.capability -v $CAP a',
    step: 'setfattr -n security.capability -v $CAP b; chmod 711 a; setfattr -n security.capability -v $CAP a; echo c > c',
  },
  'a file gets more names': {
    base: 'echo a > a; ln a b; echo c > c',
    step: 'ln c d; mkdir e; ln c e/f; echo n > n; ln n o',
  },
  'one of several names is written to': {
    base: 'echo a > a; ln a b; ln a c',
    step: 'echo more >> b',
    not: ['fuse-overlayfs'],
  },
  'links are made and replaced': {
    base: 'ln -s a l; ln -s /nowhere m; echo f > f',
    step: 'ln -sf b l; rm m; ln -s f g; rm f; ln -s l f',
  },
  'pipes and devices are made': {
    base: 'mkfifo p; mknod n c 1 3',
    step: 'rm p; mkfifo -m 640 q; mknod -m 660 o c 1 5; mknod z b 7 0',
  },
  'devices of a layer are changed': {
    base: 'mknod n c 1 3; mkfifo p',
    step: 'chmod 600 n; chown 5:6 p; touch -d @1000000 n',
    not: ['fuse-overlayfs'],
  },
  'files have holes': {
    base: 'dd if=/dev/zero of=a bs=1 count=1 seek=300000 2>/dev/null',
    step: 'echo middle | dd of=b bs=1 seek=1000000 2>/dev/null; dd if=/dev/zero of=c bs=4096 count=50 2>/dev/null',
  },
  'names are deleted': {
    base: 'echo a > a; mkdir d e; echo b > d/b; echo c > d/c; echo e > e/e',
    step: 'rm a d/b; rm -r e',
  },
  'what was deleted is made again': {
    base: 'echo a > a; mkdir d; echo b > d/b; echo c > d/c',
    step: 'rm a; echo other > a; rm -r d; mkdir d; echo b > d/b; touch -d @1000000 d/b',
  },
  'a replaced folder is filled again': {
    base: 'mkdir -p d/e/f; echo 1 > d/e/f/1; echo 2 > d/e/2; echo 3 > d/3',
    step: 'rm -r d; mkdir -p d/e; echo 2 > d/e/2; echo new > d/e/new',
  },
  'files are renamed': {
    base: 'echo a > a; echo b > b; mkdir d; echo c > d/c',
    step: 'mv a x; mv b d/c; mv d/c y',
  },
  'folders are renamed': {
    base: 'mkdir -p d/e; echo a > d/a; echo b > d/e/b; touch -d @1000000 d/a d/e/b d/e d',
    step: 'mv d f',
  },
  'a file takes the place of a folder': {
    base: 'mkdir d; echo a > d/a; mkdir e; echo b > e/b',
    step: 'rm -r d; echo d > d; rm -r e; ln -s d e',
  },
  'a folder takes the place of a file': {
    base: 'echo a > a; ln -s a l; mkfifo p',
    step: 'rm a l p; mkdir a l p; echo 1 > a/1; echo 2 > p/2',
  },
  'nothing is changed': {
    base: 'echo a > a; mkdir d; echo b > d/b; touch -d @1000000 a d/b',
    step: ': >> a; chmod 644 d/b; chown 0:0 a; mv a x; mv x a; echo n > n; rm n',
  },
  'times are set': {
    base: 'echo a > a; mkdir d; ln -s a l',
    step: 'touch -d @1234567 a d; touch -h -d @1234567 l; echo n > n; touch -d @7654321 n',
  },
  'folders are empty': {
    base: 'mkdir -p d/e f',
    step: 'rmdir d/e; mkdir -p g/h; rmdir f; mkdir f; chmod 700 g',
  },
  'trees are deep': {
    base: DEEP,
    step: `${DEEP.replace('mkdir', 'true')}; echo bottom > bottom`,
  },
  'names are no text': {
    base: `touch "$(printf 'a\\377')" "$(printf 'b\\nc')" 'sp ace' 'ünï'`,
    step: `rm "$(printf 'a\\377')" 'sp ace'; echo x > "$(printf 'b\\nc')"; mkdir "$(printf '\\200')"; echo y > "$(printf '\\200/\\201')"`,
  },
  'names are nearly those of marks': {
    base: 'echo a > .why; echo b > x.wh.y; echo c > ..wh.; mkdir .w',
    step: 'rm x.wh.y; echo d > .whiteout; echo e > .w/.wh; mv .why .wh-y',
  },
  'many files are in one folder': {
    base: 'mkdir d; i=0; while [ $i -lt 500 ]; do echo $i > d/$i; i=$((i+1)); done',
    step: 'cd d; i=0; while [ $i -lt 500 ]; do rm $i; i=$((i+7)); done; for i in 1 2 3; do echo new > new-$i; done',
  },
}
