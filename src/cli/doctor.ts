import { type Check, examine } from '../run/doctor.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

/** `deploy doctor`: exit code 0 when a run can start, else that of the first failed check. */
export async function doctorCommand(world: World, flags: CommonOptions): Promise<number> {
  return inspect(world, flags, async (context) => {
    const checks = await examine(context);
    const exitCode = checks.find((check) => check.status === 'failed')?.exitCode ?? 0;
    const value = checks.map(({ name, status, finding, next }) => ({
      name,
      status,
      finding,
      next,
    }));
    return { value, text: checks.map(renderCheck).join(''), exitCode };
  });
}

function renderCheck({ name, status, finding, next }: Check): string {
  const [first, ...more] = finding.split('\n');
  const lines = [
    `${status.padEnd(8)} ${name.padEnd(15)} ${first}`,
    ...more.map((line) => `${' '.repeat(25)}${line}`),
    ...next.map((line) => `${' '.repeat(17)}next    ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}
