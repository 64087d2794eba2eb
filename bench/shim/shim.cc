// SPDX-License-Identifier: BSD-2-Clause
#include "shim.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace
{

const char everything_matches[] = ".";
const char manual_time[] = "/manual_time";

// Registers the points; each callback hands over the point's next sample as manual time.
// --benchmark_min_time is fixed so small (see shim_initialize) that Google calls exactly once
// per repetition.
void register_points(const shim_point *points, size_t count, bool everything)
{
	benchmark::ClearRegisteredBenchmarks();
	for (size_t i = 0; i < count; i++) {
		const shim_point *p = &points[i];
		auto next = std::make_shared<size_t>(0);
		auto *b = benchmark::RegisterBenchmark(p->name, [p, next](benchmark::State &state) {
			const size_t sample = (*next)++;
			const auto n = state.max_iterations;
			while (state.KeepRunningBatch(n)) {
			}
			/* After the loop: Google wants as many iterations of a failed repetition.
			 */
			if (sample >= p->count) {
				state.SkipWithError(p->failure ? p->failure : "no sample");
				return;
			}
			state.SetIterationTime(p->seconds[sample] * static_cast<double>(n));
			state.counters["items_per_second"] = 1 / p->seconds[sample];
		});
		const size_t repetitions = p->count + (p->failure ? 1 : 0);
		b->UseManualTime();
		if (repetitions > 1)
			b->Repetitions(static_cast<int>(repetitions));
		if (everything)
			b->ReportAggregatesOnly(false);
	}
}

double aggregate(const std::string &name, std::vector<double> v)
{
	double sum = 0, squares = 0;
	for (double x : v)
		sum += x;
	const double mean = sum / static_cast<double>(v.size());
	for (double x : v)
		squares += (x - mean) * (x - mean);
	const double deviation =
		v.size() > 1 ? std::sqrt(squares / static_cast<double>(v.size() - 1)) : 0;
	if (name == "stddev")
		return deviation;
	if (name == "cv")
		return mean > 0 ? deviation / mean : 0;
	if (name == "median") {
		std::sort(v.begin(), v.end());
		const size_t n = v.size();
		return (v[(n - 1) / 2] + v[n / 2]) / 2;
	}
	return mean;
}

// Passes everything on to one of Google's reporters after setting what Google cannot know: the
// team's size and CPU time; and takes the repetitions, which differ between points, out of the
// names, so that names stay comparable between runs.
class Corrected : public benchmark::BenchmarkReporter
{
      public:
	Corrected(benchmark::BenchmarkReporter *to, const shim_point *points, size_t count)
	    : to_(to)
	{
		for (size_t i = 0; i < count; i++)
			points_[points[i].name + std::string(manual_time)] = &points[i];
	}

	void Stream(std::ostream *out)
	{
		to_->SetOutputStream(out);
		to_->SetErrorStream(out);
	}

	bool ReportContext(const Context &context) override
	{
		return to_->ReportContext(context);
	}

	void ReportRuns(const std::vector<Run> &runs) override
	{
		std::vector<Run> corrected(runs);
		for (Run &run : corrected)
			Correct(&run);
		to_->ReportRuns(corrected);
	}

	void Finalize() override
	{
		to_->Finalize();
	}

      private:
	void Correct(Run *run)
	{
		run->run_name.repetitions.clear();
		const auto found = points_.find(run->run_name.str());
		if (found == points_.end())
			return;
		const shim_point *p = found->second;
		run->threads = p->threads;
		if (p->count == 0)
			return;
		const std::vector<double> cpu(p->cpu_seconds, p->cpu_seconds + p->count);
		const double n = static_cast<double>(run->iterations);
		if (run->run_type == Run::RT_Aggregate)
			run->cpu_accumulated_time =
				run->aggregate_unit == benchmark::kTime
					? aggregate(run->aggregate_name, cpu) * n
					: aggregate(run->aggregate_name, cpu);
		else if (run->repetition_index >= 0 &&
			 static_cast<size_t>(run->repetition_index) < p->count)
			run->cpu_accumulated_time =
				cpu[static_cast<size_t>(run->repetition_index)] * n;
	}

	benchmark::BenchmarkReporter *to_;
	std::map<std::string, const shim_point *> points_;
};

// Google asks for each benchmark that its filter selects: that is all this wants to know.
class Silent : public benchmark::BenchmarkReporter
{
      public:
	bool ReportContext(const Context &) override
	{
		return true;
	}
	void ReportRuns(const std::vector<Run> &) override
	{
	}
};

std::unique_ptr<benchmark::BenchmarkReporter> make_reporter(shim_format format)
{
	switch (format) {
	case SHIM_JSON:
		return std::make_unique<benchmark::JSONReporter>();
	case SHIM_CSV:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
		return std::make_unique<benchmark::CSVReporter>();
#pragma GCC diagnostic pop
	default:
		return std::make_unique<benchmark::ConsoleReporter>(
			benchmark::ConsoleReporter::OO_None);
	}
}

} // namespace

static bool initialized;

void shim_initialize(int *argc, char **argv)
{
	initialized = true;
	/* Any sample is long enough: how long is the team's business. */
	static char min_time[] = "--benchmark_min_time=1e-18";
	std::vector<char *> with(argv, argv + *argc);
	with.push_back(min_time);
	int n = static_cast<int>(with.size());
	with.push_back(nullptr);
	benchmark::Initialize(&n, with.data());
	std::copy(with.begin(), with.begin() + n, argv);
	*argc = n;
}

// Who only reads results has no flags to give.
static void ensure_initialized()
{
	static char name[] = "lockscale", *argv[] = {name, nullptr, nullptr};
	int argc = 1;
	if (!initialized)
		shim_initialize(&argc, argv);
}

void shim_context(const char *key, const char *value)
{
	benchmark::AddCustomContext(key, value);
}

size_t shim_select(const shim_point *points, size_t count, bool *selected)
{
	size_t matching = 0;
	benchmark::ClearRegisteredBenchmarks();
	for (size_t i = 0; i < count; i++) {
		selected[i] = false;
		benchmark::RegisterBenchmark(points[i].name, [&, i](benchmark::State &state) {
			matching += !selected[i];
			selected[i] = true;
			state.SkipWithError("only asked for");
		})->UseManualTime();
	}
	Silent silent;
	benchmark::RunSpecifiedBenchmarks(&silent);
	return matching;
}

char *shim_report(const shim_point *points, size_t count, shim_format format, bool everything)
{
	ensure_initialized();
	std::ostringstream text;
	auto reporter = make_reporter(format);
	Corrected corrected(reporter.get(), points, count);
	corrected.Stream(&text);
	register_points(points, count, everything);
	benchmark::RunSpecifiedBenchmarks(&corrected, everything_matches);
	return strdup(text.str().c_str());
}

void shim_display(const shim_point *points, size_t count)
{
	std::unique_ptr<benchmark::BenchmarkReporter> reporter(
		benchmark::CreateDefaultDisplayReporter());
	Corrected corrected(reporter.get(), points, count);
	register_points(points, count, false);
	benchmark::RunSpecifiedBenchmarks(&corrected, everything_matches);
}

void shim_list(const shim_point *points, size_t count)
{
	register_points(points, count, false);
	benchmark::RunSpecifiedBenchmarks();
}
