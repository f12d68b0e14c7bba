/** Home: is anything broken? */
import type { ReactElement } from "react";
import { PageHeader } from "../../components/page-header.tsx";

export function HomePage(): ReactElement {
  return <PageHeader title="Home" />;
}
