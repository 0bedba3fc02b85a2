/** What a structure says about statements that change rows, kept up to date object by object. */
import type { ObjectKey, SchemaObject } from '../schema/model.ts';
import {
  type CodeText,
  makeCode,
  notRolledBack,
  releasesLocks,
  writtenThroughCode,
} from '../statements/non-transactional.ts';
import type { ClassifiedStatement } from './migration.ts';

/** Tables whose engine cannot roll back, and the code of a schema. Each costs only its own changes. */
export class StructureFacts {
  readonly #fixed = new Map<ObjectKey, string>();
  readonly #numbered = new Map<ObjectKey, string>();
  readonly #code = new Map<ObjectKey, CodeText>();
  #functions = 0;

  /** True when there is a function: any statement may call it. */
  get hasFunctions(): boolean {
    return this.#functions > 0;
  }

  add(key: ObjectKey, object: SchemaObject): void {
    if (object.kind === 'table') {
      if (object.engine !== 'InnoDB') this.#fixed.set(key, object.name);
      if (object.columns.some(({ extra }) => extra.includes('auto_increment')))
        this.#numbered.set(key, object.name);
      const defaults = makeCode(
        [object.name],
        object.columns.map((column) => column.default ?? '').join('\n'),
        'default',
      );
      if (defaults.takesSequence) this.#code.set(key, defaults);
      return;
    }
    if (isFunction(object)) this.#functions++;
    const table = object.kind === 'trigger' ? [object.attributes['table'] ?? ''] : [];
    const kind = object.kind === 'view' ? 'query' : 'program';
    this.#code.set(key, makeCode([object.name, ...table], object.definition, kind));
  }

  remove(key: ObjectKey, object: SchemaObject): void {
    this.#fixed.delete(key);
    this.#numbered.delete(key);
    if (this.#code.delete(key) && object.kind !== 'table' && isFunction(object)) this.#functions--;
  }

  /** What of a statement is not undone when its transaction is rolled back, as the end of a sentence. */
  notRolledBack({ sql, classification }: ClassifiedStatement): string | undefined {
    const fixed = this.#fixed.values();
    return notRolledBack(sql, classification, fixed, this.#code.values());
  }

  /** True when code that a statement leads to gives back all named locks: the deploy lock is one. */
  releasesLocks({ sql, classification }: ClassifiedStatement): boolean {
    const runsNow = /^(?:dml|opaque|session)$/.test(classification.class);
    return runsNow && releasesLocks(sql, this.#code.values());
  }

  /** Tables with AUTO_INCREMENT that a statement may write to through code; null when it runs none. */
  writtenThroughCode({ sql, classification }: ClassifiedStatement): readonly string[] | null {
    if (classification.class !== 'dml') return null;
    return writtenThroughCode(sql, this.#numbered.values(), this.#code.values());
  }
}

function isFunction({ kind }: SchemaObject): boolean {
  return /^(?:function|package)/.test(kind);
}
