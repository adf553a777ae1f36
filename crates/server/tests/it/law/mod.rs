//! What five regulations demand, clause by clause: every test runs on the real case engine through the
//! API, under the regulation whose clause it is named after.

mod city_template;
mod english;
mod luyi;
mod pingdingshan;
mod scenario;
mod use_of_data;
mod yanjin;
mod yichuan;
