/** Programs of Python that stand for servers and clients, on the ports that are their arguments. */

/** Answers each connection with the client's address, after the client has ended its half, and what it said. */
export const TCP_SERVER: string = `
import socket, sys, threading
family = socket.AF_INET6 if len(sys.argv) > 2 else socket.AF_INET
server = socket.create_server(('', int(sys.argv[1])), family=family, backlog=64)
print('ready to serve', flush=True)
def serve(client, address):
    said = b''
    while True:
        part = client.recv(65536)
        if not part: break
        said += part
    client.sendall(f'{address[0]} said {len(said)}'.encode())
    client.close()
while True:
    threading.Thread(target=serve, args=server.accept(), daemon=True).start()
`

/** Answers each packet twice, with the client's address and the packet, after the word that is its second argument. */
export const UDP_SERVER: string = `
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('', int(sys.argv[1])))
word = sys.argv[2] if len(sys.argv) > 2 else ''
print('ready to serve', flush=True)
while True:
    said, address = server.recvfrom(65536)
    for turn in '12':
        server.sendto(f'{word}{address[0]} {turn} {said.decode()}'.encode(), address)
`

/** Says as much as its third argument tells to an address and port, ends its half, and prints the answer. */
export const TCP_CLIENT: string = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
s.sendall(b'x' * int(sys.argv[3]))
s.shutdown(socket.SHUT_WR)
answer = b''
while True:
    part = s.recv(65536)
    if not part: break
    answer += part
print(answer.decode())
`

/** Sends a packet to an address and port, twice from the same port, the third argument, and prints all answers. */
export const UDP_CLIENT: string = `
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
if len(sys.argv) > 3: s.bind(('', int(sys.argv[3])))
s.connect((sys.argv[1], int(sys.argv[2])))
for turn in 'ab':
    s.send(turn.encode())
    print(s.recv(1024).decode())
    print(s.recv(1024).decode())
`
