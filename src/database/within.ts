/**
 * Gives what the promise gives, or rejects after `limitMs`: a server that neither answers nor
 * closes must not hold the program up. What comes too late is handed to `discard`.
 */
export async function within<T>(
  limitMs: number,
  promise: Promise<T>,
  discard: (late: T) => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let isLate = false;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(Object.assign(new Error(`no answer within ${limitMs} ms`), { code: 'ETIMEDOUT' }));
    }, limitMs);
  });
  promise.then(
    (value) => isLate && discard(value),
    () => {},
  );
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
