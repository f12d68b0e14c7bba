/** How a route's rows are found in a version: the order in which they are looked up. */
import { type RouteSpec, routeColumns } from "../ports/api-spec.ts";

/**
 * The order that a route needs beside the version's own.
 *
 * The version's own order serves when some parameters stand first in it, and what follows brings the keys of `map` in
 * their order: then a binary search leaves a few rows, which are tested for the other parameters. Otherwise rows are
 * sorted by the parameters (4 bytes a row of memory).
 *
 * @returns columns to sort by; `undefined`: the own order serves.
 */
export function planRouteOrder(route: RouteSpec, sort: readonly string[]): readonly string[] | undefined {
  const parameters = routeColumns(route);
  const then = route.shape.shape === "map" ? route.shape.key : undefined;
  const first = sort.findIndex((name) => !parameters.includes(name));
  const leading = first < 0 ? sort.length : first;
  const isLed = leading > 0 || parameters.length === 0;
  const isInOrder = then === undefined || parameters.includes(then) || sort[leading] === then;
  if (isLed && isInOrder) return undefined;
  return then === undefined || parameters.includes(then) ? parameters : [...parameters, then];
}

/** All orders that the routes of a dataset need, each once. */
export function planOrders(
  routes: readonly RouteSpec[],
  dataset: string,
  sort: readonly string[],
): readonly (readonly string[])[] {
  const orders = routes
    .filter((route) => route.dataset === dataset)
    .flatMap((route) => {
      const order = planRouteOrder(route, sort);
      return order === undefined ? [] : [order];
    });
  const names = orders.map((order) => JSON.stringify(order));
  return orders.filter((_, at) => names.indexOf(names[at]!) === at);
}
