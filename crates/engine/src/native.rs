//! Native libraries. (Work in progress.)
