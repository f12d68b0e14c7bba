/** A value once nobody has changed it for a while: so that typing does not ask the server for every letter. */
import { useEffect, useState } from "react";

export function useDebounced<Value>(value: Value, waitMs = 200): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), waitMs);
    return () => clearTimeout(timer);
  }, [value, waitMs]);
  return settled;
}
