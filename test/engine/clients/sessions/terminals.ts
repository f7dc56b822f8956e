import type { Session } from '../support/session.ts'

/** Does what is typed, line by line, as soon as the terminal has its size; a shell writes its prompt at any time. */
const READER =
  'sh -c "until stty size 2>/dev/null | grep -q 97; do sleep 0.05; done; trap \'echo interrupted\' INT; echo ready; while read -r line; do eval \\"\\$line\\"; echo ready; done"'
const READY = /ready\r\n/
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a shell asks the terminal
const PROMPT = /[#$] (?:\u001b\[\w+)*$/
const DETACH = '\u0010\u0011'

/** Programs on terminals: what they see of it, keys, and leaving them to themselves. */
export const TERMINALS: Session = {
  name: 'terminals',
  steps: [
    {
      terminal: `docker run -it --rm --name reader -h reader busybox ${READER}`,
      dialogue: [
        [READY, 'tty; echo $TERM; stty size\n'],
        [READY, 'echo sleeping; sleep 100\n'],
        [/sleeping\r\n/, '\u0003'],
        [READY, 'stty -echo; echo quiet; cat\n'],
        [/quiet\r\n/, 'typed\n'],
        [/typed\r\n/, '\u0004'],
        [READY, 'exit 7\n'],
      ],
    },
    {
      terminal: 'docker run -it --rm busybox',
      compares: 'end',
      dialogue: [
        [PROMPT, 'echo begun; sleep 100\n'],
        [/\nbegun\r\n/, '\u0003'],
        [PROMPT, 'ps; exit 9\n'],
      ],
    },
    {
      terminal: `docker run -it --name kept --detach-keys ctrl-x,x busybox ${READER}`,
      dialogue: [
        [READY, 'echo first\n'],
        [/first\r\nready\r\n/, '\u0018x'],
      ],
    },
    'docker inspect -f "{{.State.Status}} {{.Config.Tty}} {{.Config.OpenStdin}}" kept',
    {
      terminal: 'docker attach kept',
      dialogue: [
        [/^/, 'echo again\n'],
        [/\nagain\r\nready\r\n/, DETACH],
      ],
    },
    {
      terminal: `docker exec -it -e A=b kept ${READER}`,
      dialogue: [
        [READY, 'tty; echo $A; stty size\n'],
        [READY, 'exit 4\n'],
      ],
    },
    {
      terminal: 'docker exec -it kept cat',
      dialogue: [
        [/^/, 'typed\n'],
        [/typed\r\ntyped\r\n/, '\u0004'],
      ],
    },
    {
      terminal: `docker exec -it --detach-keys a,b kept ${READER}`,
      dialogue: [
        [READY, 'echo one\n'],
        [/one\r\nready\r\n/, 'ab'],
      ],
    },
    { terminal: 'docker exec -t kept sh -c "test -t 1 && echo terminal"', dialogue: [] },
    'docker exec -t kept echo line | od -c | sed -n 1p',
    'docker exec -it kept true',
    'docker logs kept | grep -c again',
    {
      terminal:
        't=$(date +%s.%N); docker attach --no-stdin kept & until docker events --since $t --until $(date +%s.%N) --filter event=attach | grep -q kept; do sleep 0.05; done; docker exec kept sh -c "echo shown > /dev/pts/0"; docker kill -s KILL kept >/dev/null; wait',
      dialogue: [],
    },
    'docker inspect -f "{{.State.Status}} {{.State.ExitCode}}" kept',
    {
      terminal: 'docker start -ai kept',
      dialogue: [[READY, 'exit 6\n']],
    },
    'docker run -t --rm busybox sh -c "echo out; echo err >&2" 2>/dev/null | od -c | sed -n 1,2p',
    'printf "exit 9\\n" | docker run -i --rm busybox sh',
    'docker attach kept',
    'docker attach no-such-container',
    'docker create --name piped -i busybox cat; printf "through\\n" | docker start -ai piped; docker wait piped',
    'docker logs piped',
    'docker run -d --name signalled busybox sh -c "trap \'exit 33\' TERM; echo ready; while :; do sleep 0.1; done"; until docker logs signalled | grep -q ready; do sleep 0.05; done; timeout -s TERM 0.5 docker attach signalled; docker wait signalled',
    'docker rm kept piped signalled | sort',
  ],
}
