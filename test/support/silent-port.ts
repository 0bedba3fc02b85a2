/**
 * A TCP port before the server that can begin to drop packets, as behind a firewall that changed
 * its mind. It is a process of its own: stopped, its connections stay open and say nothing; with
 * its short queue full, the kernel drops what would open another.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { until } from './deploy.ts';
import type { Cleanup } from './server.ts';

const program = `
const net = require('node:net');
const server = net.createServer((client) => {
  const behind = net.connect(process.argv[1]);
  client.pipe(behind).pipe(client);
  for (const socket of [client, behind]) {
    socket.on('error', () => {});
    socket.on('close', () => { client.destroy(); behind.destroy(); });
  }
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

export type SilentPort = {
  readonly port: number;
  /** From now on nothing comes back, and nobody gets a connection. */
  dropPackets(): Promise<void>;
  /** As if nothing had been. */
  recover(): void;
  /** Connections to the port that are open or being opened, but for those of this helper. */
  connections(): number;
};

/** Starts the port before the server's Unix socket. */
export async function startSilentPort(t: Cleanup, socketPath: string): Promise<SilentPort> {
  const child = spawn(process.execPath, ['-e', program, socketPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const fillers: Socket[] = [];
  t.after(async () => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  return {
    port,
    async dropPackets() {
      child.kill('SIGSTOP');
      await until('the queue of the port is full', async () => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        fillers.push(socket);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return socket.connecting;
      });
    },
    recover() {
      for (const socket of fillers.splice(0)) socket.destroy();
      child.kill('SIGCONT');
    },
    connections() {
      const own = new Set(fillers.map(({ localPort }) => localPort));
      return connectionsTo(port).filter((local) => !own.has(local)).length - unanswered(fillers);
    },
  };
}

/** A socket that is still connecting has no port that Node would tell. */
function unanswered(sockets: readonly Socket[]): number {
  return sockets.filter(({ connecting, destroyed }) => connecting && !destroyed).length;
}

/** Local ports of connections to a port, in the states ESTABLISHED and SYN_SENT. */
function connectionsTo(port: number): number[] {
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/);
    const portOf = (address: string) => Number.parseInt(address.split(':')[1] ?? '', 16);
    return portOf(remote) === port && ['01', '02'].includes(state) ? [portOf(local)] : [];
  });
}
