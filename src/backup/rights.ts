import type { ServerFacts } from '../database/server.ts';

export function assertBackupRights(_facts: ServerFacts): void {}
