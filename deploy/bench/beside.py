"""The similarity of each chart to every disease, by the Python packages: what `bodh bench reasoning --beside` runs.

Reads a file of JSON lists of HPO ids, one chart a line; prints one JSON object: under the package's name the milliseconds per
chart (median and 90th percentile), how many charts, and how many diseases. `pyhpo` (in Python) and `hpo3` (in Rust, many
threads) answer to the same module name: each needs an environment of its own. Both compare the chart with the annotated
terms of each OMIM disease by Resnik's measure, best-match average."""

import json
import sys
import time


def percentiles(times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    return {"p50_ms": at(0.5), "p90_ms": at(0.9)}


def timed(charts, compare):
    times = []
    for chart in charts:
        begun = time.perf_counter()
        compare(chart)
        times.append((time.perf_counter() - begun) * 1000)
    return percentiles(times)


def main():
    from pyhpo import HPOSet, Ontology

    try:
        # The package in Rust; it answers to the same name as the one in Python.
        from pyhpo.helper import batch_set_similarity
    except ImportError:
        batch_set_similarity = None
    with open(sys.argv[1], encoding="utf-8") as file:
        charts = [json.loads(line) for line in file if line.strip()]
    Ontology()
    known = lambda term: Ontology.get_hpo_object(term) is not None
    charts = [[term for term in chart if safe(known, term)] for chart in charts]
    charts = [chart for chart in charts if chart]
    if batch_set_similarity is None:
        diseases = [HPOSet.from_queries([int(t) for t in d.hpo]) for d in Ontology.omim_diseases if d.hpo]

        def compare(chart):
            own = HPOSet.from_queries(chart)
            return [own.similarity(d, method="resnik", combine="BMA") for d in diseases]

        # Pure Python takes seconds a chart: a few say enough.
        charts = charts[:3]
    else:
        diseases = [d.hpo_set() for d in Ontology.omim_diseases]

        def compare(chart):
            own = HPOSet.from_queries(chart)
            return batch_set_similarity([(own, d) for d in diseases], kind="omim", method="resnik", combine="BMA")

    name = "pyhpo" if batch_set_similarity is None else "hpo3"
    print(json.dumps({name: dict(timed(charts, compare), diseases=len(diseases), charts=len(charts))}))


def safe(test, term):
    try:
        return test(term)
    except Exception:
        return False


main()
