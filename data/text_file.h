#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mixtape::data {

/// The bytes of a file. A file that starts as gzip does, or is named `.gz`, is decompressed (members that follow each
/// other are joined). Throws, naming the file, when it is missing, a folder, unreadable, cut short, damaged, or
/// followed by something that is not gzip.
std::string read_file(const std::filesystem::path& path);

/// The file `name.gz` in a folder, or `name`, whichever is there; nothing if neither is.
std::optional<std::filesystem::path> find_plain_or_gz(const std::filesystem::path& folder, const std::string& name);
/// The same, but throws, naming the folder and both names, if neither is.
std::filesystem::path require_plain_or_gz(const std::filesystem::path& folder, const std::string& name);

/// The lines of a text file, plain or gzip, without their line ends (LF or CRLF) and without a byte order mark at the
/// start of the file. Throws what read_file throws, and when the file holds nothing, or a line is not UTF-8 (the line
/// and the byte within it are named, both counted from 1).
std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace mixtape::data
